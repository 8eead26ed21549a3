"""Releases on a real engine behind a real HAProxy, with users who ask all the time."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.request
from typing import Any

import pytest

from aipipe_deploy.proxy import Runtime
from aipipe_deploy.release.project import Project

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def answer(shop: Any) -> str:
    with urllib.request.urlopen(shop.url, timeout=10) as response:
        return str(response.read().decode())


def status(shop: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shop.run("status", "--json").stdout)
    return found


def up(shop: Any, version: str, *more: str) -> Any:
    return shop.run("up", "--image", f"web=aipipe-bench-shop:{version}", *more)


@pytest.mark.parametrize("strategy", ["rolling", "blue-green", "canary", "hotfix"])
def test_a_release_and_its_way_back_let_no_user_down(
    serving: Any, users: Any, strategy: str
) -> None:
    done = up(serving, "2", "--strategy", strategy)
    assert done.returncode == 0, done.stderr
    assert answer(serving) == "2"
    assert status(serving)["problems"] == []

    back = serving.run("rollback")
    assert back.returncode == 0, back.stderr
    assert answer(serving) == "1"
    again = serving.run("rollback")
    assert again.returncode == 2
    assert "a rollback is never rolled back" in again.stderr


def test_a_bad_version_is_taken_back_by_itself(serving: Any, users: Any) -> None:
    done = up(serving, "worse", "--watch", "40", "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["state"] == "rolled-back"
    assert "fails more" in done.stdout
    assert answer(serving) == "1"
    assert status(serving)["last"]["outcome"].startswith("fail after")


def test_a_version_that_takes_twice_as_long_is_taken_back_by_itself(
    serving: Any, users: Any
) -> None:
    assert up(serving, "calm", "--watch", "0").returncode == 0
    done = up(serving, "slow", "--watch", "40", "--json")

    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(done.stdout)["state"] == "rolled-back"
    assert "slower" in done.stdout
    assert answer(serving) == "calm"


def test_a_watch_that_is_asked_for_is_as_long_as_the_configuration_says(
    serving: Any, users: Any
) -> None:
    assert up(serving, "2").returncode == 0
    configuration = serving.folder / "aipipe.toml"
    written = re.sub(r"(?m)^seconds = .*$", "seconds = 3", configuration.read_text())
    assert "seconds = 3" in written
    configuration.write_text(written)

    done = serving.run("watch")

    assert done.returncode == 0, done.stderr
    told = re.search(r"after ([\d.]+) s", done.stdout)
    assert told, done.stdout
    assert 0 < float(told[1]) < 10
    assert answer(serving) == "2"


@pytest.mark.parametrize(
    ("version", "slug"), [("nowhere", "image-missing"), ("sick", "never-ready")]
)
def test_an_image_that_cannot_serve_touches_no_traffic(
    serving: Any, users: Any, version: str, slug: str
) -> None:
    done = up(serving, version)

    assert done.returncode == (2 if slug == "image-missing" else 1)
    message = [line for line in (done.stdout + done.stderr).splitlines() if slug in line]
    assert message, done.stderr
    if version == "sick":
        assert "cannot open the database" in message[-1]
    assert answer(serving) == "1"
    assert status(serving)["problems"] == []


def test_a_port_that_is_taken_is_named_before_anything_is_started(shop: Any) -> None:
    import socket

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", shop.port))
        other.listen()
        done = shop.run("up")

    assert done.returncode == 3
    assert f"port {shop.port}" in done.stderr
    assert "[port-taken]" in done.stderr
    assert status(shop)["last"] is None


def test_a_proxy_that_dies_comes_back_with_the_same_traffic(serving: Any, users: Any) -> None:
    runtime = Runtime(serving.state / "haproxy.sock")
    first = runtime.process()
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 30
    while time.monotonic() < end and (not runtime.answers() or runtime.process() == first):
        time.sleep(0.05)

    assert answer(serving) == "1"
    assert up(serving, "2").returncode == 0
    assert answer(serving) == "2"


def test_a_proxy_that_was_stopped_for_good_is_started_by_the_next_command(serving: Any) -> None:
    keeper = int((serving.state / "keeper.pid").read_text())
    pid = Runtime(serving.state / "haproxy.sock").process()
    os.kill(keeper, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    problems = status(serving)["problems"]
    assert any("proxy-down" in problem for problem in problems)

    done = up(serving, "2")

    assert done.returncode == 0, done.stderr
    assert answer(serving) == "2"


def test_nothing_changes_when_nothing_changed(serving: Any) -> None:
    done = serving.run("up")

    assert done.returncode == 0
    assert "--again" in done.stdout
    assert len(json.loads(serving.run("history", "--json").stdout)["releases"]) == 1


def test_a_plan_shows_every_command_and_changes_nothing(serving: Any) -> None:
    done = serving.run("plan", "--image", "web=aipipe-bench-shop:2", "--json", "--risk", "high")
    plan = json.loads(done.stdout)

    assert plan["strategy"] == "canary"
    commands = [command for move in plan["moves"] for command in move["commands"]]
    assert any(command.startswith("docker create") for command in commands)
    assert any("set server web/s2 weight" in command for command in commands)
    assert status(serving)["last"]["id"] == 1


@pytest.mark.parametrize("shop", ['secrets = ["SHOP_TOKEN"]\n'], indirect=True)
def test_a_secret_reaches_the_container_and_nothing_else(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = shop.run("up")
    assert absent.returncode == 2
    assert "SHOP_TOKEN" in absent.stderr
    monkeypatch.setenv("SHOP_TOKEN", "hush-7312")

    done = shop.run("up")
    texts = [done.stdout, done.stderr, shop.run("plan", "--again").stdout]
    texts += [shop.run("history", "--json").stdout, shop.run("status", "--json").stdout]
    files = [path.read_bytes() for path in shop.state.iterdir() if path.is_file()]

    assert done.returncode == 0, done.stderr
    assert "hush-7312" not in "".join(texts)
    assert not any(b"hush-7312" in content for content in files)
    from_container = shop.inside(f"{shop.name}-web-r1-1", "printenv", "SHOP_TOKEN")
    assert from_container == "hush-7312"


@pytest.mark.parametrize("shop", ['memory = "96m"\n'], indirect=True)
def test_what_a_container_uses_of_its_limit_is_read_from_the_engine(serving: Any) -> None:
    project = Project.at(serving.folder)
    release = project.journal.serving()
    assert release is not None
    found = project.target.memory(release.units["web"])
    project.journal.close()

    (memory,) = found.values()
    assert memory.limit == 96 * 1024**2
    assert 0 < memory.share < 1


JOB = """
[[deploy.services.web.jobs]]
name = "migrate"
command = "sh -c 'echo ran >> /data/log; {then}'"
{mark}
"""


@pytest.mark.parametrize(
    "shop",
    ['volumes = ["{name}-data:/data"]\n' + JOB.format(then="exit 3", mark="")],
    indirect=True,
)
def test_a_job_that_fails_stops_the_release_before_anything_else(shop: Any) -> None:
    done = shop.run("up")

    assert done.returncode == 1
    assert "exit code 3" in done.stdout
    assert shop.units() == []


@pytest.mark.parametrize(
    "shop",
    ['volumes = ["{name}-data:/data"]\n' + JOB.format(then="true", mark="irreversible = true")],
    indirect=True,
)
def test_past_a_job_that_cannot_be_undone_a_release_freezes_and_says_so(serving: Any) -> None:
    done = up(serving, "sick")
    assert done.returncode == 1
    assert "frozen" in done.stdout
    assert "migrate-r2, which cannot be undone" in done.stdout
    assert answer(serving) == "1"

    assert serving.run("rollback").returncode == 1
    assert serving.run("up").returncode == 2  # an open release comes first
    log = serving.inside(f"{serving.name}-web-r1-1", "cat", "/data/log")
    assert log.split() == ["ran", "ran"]  # once for each release, however often it was resumed
