"""``aipipe-build run`` against a real engine: what it builds, says, records and leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.aipipe_build.conftest import Contexts

# A build takes seconds even where all of it is cached.
pytestmark = [pytest.mark.docker, pytest.mark.slow]


def test_a_build_is_predicted_run_compared_and_recorded(two_steps: Contexts) -> None:
    first = two_steps.run("-t", two_steps.tag, ".")
    assert (first.code, first.image["result"], first.image["recorded"]) == (0, "built", True)
    assert first.facts() == [("miss", "ran")] * 2
    assert first.image["image"] == two_steps.identity(two_steps.tag)
    two_steps.write("b", "three")
    second = two_steps.run("-t", two_steps.tag, ".")
    assert second.image["decision"] == "cached"
    assert second.facts() == [("hit", "cached"), ("miss", "ran")]
    assert {step["agreement"] for step in second.image["steps"]} == {"right"}
    assert second.image["saves_seconds"] > 0


def test_what_is_unchanged_gets_its_tag_and_nothing_runs(two_steps: Contexts) -> None:
    built = two_steps.run("-t", two_steps.tag, ".").image
    done = two_steps.run("-t", f"{two_steps.tag}:other", "--iidfile", "iid", ".")
    assert (done.code, done.image["decision"], done.image["result"]) == (0, "skip", "retagged")
    assert done.image["steps"] == []
    assert two_steps.identity(f"{two_steps.tag}:other") == built["image"]
    assert (two_steps.root / "iid").read_text() == built["image"]


def test_an_unchanged_image_that_is_gone_is_built_from_the_cache(two_steps: Contexts) -> None:
    two_steps.run("-t", two_steps.tag, ".")
    subprocess.run(["docker", "image", "rm", "-f", two_steps.tag], check=True, capture_output=True)
    done = two_steps.run("-t", two_steps.tag, ".")
    assert (done.image["decision"], done.image["result"]) == ("skip", "built")
    assert two_steps.identity(two_steps.tag)


def test_going_back_to_what_was_built_before_is_a_skip(two_steps: Contexts) -> None:
    first = two_steps.run("-t", f"{two_steps.tag}:1", ".").image["image"]
    two_steps.write("b", "three")
    two_steps.run("-t", f"{two_steps.tag}:2", ".")
    two_steps.write("b", "two")
    back = two_steps.run("-t", f"{two_steps.tag}:3", ".")
    assert (back.image["result"], back.image["image"]) == ("retagged", first)


def test_the_run_is_kept_and_reported(two_steps: Contexts) -> None:
    two_steps.run("-t", two_steps.tag, ".")
    code, out, _ = two_steps.command("report", "--json")
    assert code == 0
    assert json.loads(out)["images"][0]["name"] == two_steps.tag
    assert "2 of 2 steps predicted right" in two_steps.command("report")[1]
    assert "| `COPY a /a` | miss | ran |" in two_steps.command("report", "--md")[1]


def test_a_measured_run_is_reported_with_what_grew(two_steps: Contexts) -> None:
    two_steps.run("-t", f"{two_steps.tag}:1", "--measure", ".")
    two_steps.write("b", "x" * 90_000)
    two_steps.run("-t", f"{two_steps.tag}:2", "--measure", ".")
    code, out, _ = two_steps.command("report", "--image", "--json", "--html", "page.html")
    assert code == 0
    report = json.loads(out)
    assert [layer["instruction"] for layer in report["image"]["layers"]] == [
        "COPY a /a", "COPY b /b",
    ]  # fmt: skip
    assert report["against"]["change"] > 80_000
    (row,) = report["against"]["folders"]
    assert (row["path"], row["why"]) == ("/", "mostly of COPY b /b")
    assert [build["ran"] for build in report["builds"]] == [2, 1]
    assert "<svg" in (two_steps.root / "page.html").read_text()


def test_an_image_that_was_not_measured_is_measured_while_it_is_there(two_steps: Contexts) -> None:
    two_steps.run("-t", two_steps.tag, ".")
    code, out, _ = two_steps.command("report", "--image", "--json")
    assert (code, len(json.loads(out)["image"]["layers"])) == (0, 2)


def test_a_failing_command_is_a_no_and_nothing_is_recorded(contexts: Contexts) -> None:
    contexts.dockerfile("FROM python:3.11-slim\nRUN echo so sad; exit 3\n")
    done = contexts.run("-t", contexts.tag, ".")
    assert (done.code, done.image["result"]) == (1, "failed")
    assert "build-step-failed" in done.err
    assert "    so sad" in done.err
    assert contexts.recorded() == []


def test_secrets_are_shown_nowhere_and_stand_in_no_argv(contexts: Contexts, tmp_path: Path) -> None:
    real = subprocess.run(
        ["which", "docker"], capture_output=True, text=True, check=True
    ).stdout.strip()
    spy = tmp_path / "bin"
    spy.mkdir()
    (spy / "docker").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/argv\nexec {real} "$@"\n')
    (spy / "docker").chmod(0o755)
    contexts.dockerfile(
        "FROM python:3.11-slim\nARG API_TOKEN\n"
        "RUN --mount=type=secret,id=one --mount=type=secret,id=two "
        "cat /run/secrets/*; echo $API_TOKEN; exit 1\n"
    )
    (tmp_path / "two").write_text("the-second-secret\n")
    done = contexts.run(
        "--secret=id=one,env=ONE", f"--secret=id=two,src={tmp_path}/two",
        "--build-arg=API_TOKEN=the-argument", "--progress=plain", "-t", contexts.tag, ".",
        ONE="the-first-secret", PATH=f"{spy}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.code == 1
    assert done.err.count("***") >= 3
    kept = "".join(path.read_text() for path in (contexts.root / ".aipipe").rglob("*.json"))
    for secret in ("the-first-secret", "the-second-secret", "the-argument"):
        assert secret not in done.out + done.err + kept + (tmp_path / "argv").read_text()


def test_the_record_holds_no_value_of_a_secret_argument(contexts: Contexts) -> None:
    contexts.dockerfile("FROM python:3.11-slim\nARG API_TOKEN\nRUN echo $API_TOKEN > /dev/null\n")
    assert contexts.run("--build-arg=API_TOKEN=the-argument", ".").code == 0
    kept = "".join(path.read_text() for path in (contexts.root / ".aipipe").rglob("*.json"))
    assert kept
    assert "the-argument" not in kept


def test_a_wrong_prediction_leaves_a_report_and_drops_the_record(two_steps: Contexts) -> None:
    two_steps.run("-t", two_steps.tag, ".")
    two_steps.write("b", "never built")
    # A record of what nobody built is what a cleaned cache looks like from here.
    assert two_steps.command("record")[0] == 0
    assert len(two_steps.recorded()) == 2
    done = two_steps.run("-t", two_steps.tag, ".")
    assert done.code == 0
    assert done.facts() == [("hit", "cached"), ("hit", "ran")]
    report = Path(done.image["defects"][0]).read_text()
    assert ">> false-hit" in report
    assert "COPY b /b" in report
    assert len(two_steps.recorded()) == 1
    assert two_steps.run("-t", two_steps.tag, ".").image["result"] == "retagged"


def test_files_that_change_during_the_build_are_never_recorded(contexts: Contexts) -> None:
    contexts.write("a", "one")
    contexts.dockerfile("FROM python:3.11-slim\nCOPY a /a\nRUN sleep 2\n")
    timer = threading.Timer(2.5, lambda: contexts.write("a", "another"))
    timer.start()
    done = contexts.run("-t", contexts.tag, ".")
    timer.join()
    if done.image["recorded"]:
        pytest.skip("the build was over before the file changed")
    assert done.code == 0
    assert "nothing was recorded" in done.image["warnings"][0]
    assert contexts.recorded() == []


@pytest.mark.usefixtures("containerd_store")
def test_platforms_are_predicted_one_by_one(contexts: Contexts) -> None:
    contexts.write("a", "one")
    contexts.write("b", "two")
    contexts.dockerfile(
        "FROM scratch AS s\nCOPY a /a\nFROM scratch\nCOPY --from=s /a /a\nCOPY b /b\n"
    )
    words = ("--platform=linux/amd64,linux/arm64", "-t", contexts.tag, ".")
    assert {fact for _, fact in contexts.run(*words).facts()} <= {"ran", "cached"}
    contexts.write("b", "three")
    done = contexts.run(*words)
    assert done.facts() == [("hit", "cached"), ("hit", "cached"), ("miss", "ran")] * 2
    assert done.image["platforms"] == ["linux/amd64", "linux/arm64"]
    assert contexts.run(*words).image["result"] == "retagged"


@pytest.mark.usefixtures("containerd_store")
def test_a_reproducible_image_has_the_same_digest_again(two_steps: Contexts) -> None:
    words = ("--reproducible", "--no-cache", "-t", two_steps.tag, ".")
    first = two_steps.run(*words, SOURCE_DATE_EPOCH="1600000000")
    assert first.code == 0, first.err
    before = two_steps.identity(two_steps.tag)
    for name in ("a", "b"):
        os.utime(two_steps.root / name, (1700000001, 1700000001))
    two_steps.run(*words, SOURCE_DATE_EPOCH="1600000000")
    assert before
    assert two_steps.identity(two_steps.tag) == before


@pytest.mark.usefixtures("containerd_store")
def test_a_local_cache_is_exported_and_imported(two_steps: Contexts, tmp_path: Path) -> None:
    done = two_steps.run("-t", two_steps.tag, f"--cache-to=type=local,dest={tmp_path}/cache", ".")
    assert done.code == 0, done.err
    assert (tmp_path / "cache" / "index.json").is_file()
    two_steps.write("b", "three")
    words = ("-t", two_steps.tag, f"--cache-from=type=local,src={tmp_path}/cache", ".")
    assert two_steps.run(*words).facts() == [("hit", "cached"), ("miss", "ran")]


@pytest.mark.usefixtures("containerd_store")
def test_images_and_cache_go_to_a_registry_and_come_from_it(
    two_steps: Contexts, registry: str
) -> None:
    name = f"{registry}/{two_steps.tag}"
    cache = f"type=registry,ref={name}:cache"
    done = two_steps.run("--push", "-t", f"{name}:1", f"--cache-to={cache},mode=max", ".")
    assert done.code == 0, done.err
    kept = two_steps.run("--push", "-t", f"{name}:2", f"--cache-from={cache}", ".")
    assert (kept.code, kept.image["result"]) == (0, "retagged"), kept.err
    with urllib.request.urlopen(f"http://{registry}/v2/{two_steps.tag}/tags/list") as answer:
        assert sorted(json.load(answer)["tags"]) == ["1", "2", "cache"]
    two_steps.write("b", "three")
    assert two_steps.run("-t", name, f"--cache-from={cache}", ".").facts()[0] == ("hit", "cached")
    listing = [f"{name}:1", f"{name}:2", name]
    subprocess.run(["docker", "image", "rm", "--force", *listing], check=False, capture_output=True)


def test_only_the_images_that_a_change_reaches_are_built_in_order(contexts: Contexts) -> None:
    tag = contexts.tag
    contexts.write("base/f", "one")
    contexts.write("web/f", "one")
    contexts.write("lib/f", "one")
    contexts.write("base/Dockerfile", "FROM scratch\nCOPY f /base\n", salted=False)
    contexts.write("web/Dockerfile", f"FROM {tag}-base\nCOPY f /web\n", salted=False)
    contexts.write("lib/Dockerfile", "FROM scratch\nCOPY f /lib\n", salted=False)
    services = {
        name: {"image": f"{tag}-{name}", "build": {"context": name}}
        for name in ("web", "lib", "base")
    }
    contexts.write("compose.yaml", json.dumps({"services": services}), salted=False)

    def results(*words: str) -> dict[str, str]:
        done = contexts.run("--all", *words)
        assert done.code == 0, done.err
        return {image["name"]: image["result"] for image in done.document["images"]}

    assert results() == {"web": "built", "lib": "built", "base": "built"}
    assert results() == {"web": "retagged", "lib": "retagged", "base": "retagged"}
    contexts.write("base/f", "two")
    assert results("--dry-run") == dict.fromkeys(("web", "lib", "base"), "not-built")
    assert results() == {"web": "built", "lib": "retagged", "base": "built"}


def test_an_image_whose_base_failed_is_not_built(contexts: Contexts) -> None:
    tag = contexts.tag
    contexts.write("base/Dockerfile", "FROM python:3.11-slim\nRUN exit 7\n", salted=False)
    contexts.write("web/Dockerfile", f"FROM {tag}-base\nCOPY Dockerfile /web\n", salted=False)
    bake = {
        "group": {"default": {"targets": ["web", "base"]}},
        "target": {
            name: {"context": name, "dockerfile": "Dockerfile", "tags": [f"{tag}-{name}"]}
            for name in ("web", "base")
        },
    }
    contexts.write("docker-bake.json", json.dumps(bake), salted=False)
    done = contexts.run("--all")
    assert done.code == 1
    assert {image["name"]: image["result"] for image in done.document["images"]} == {
        "web": "not-built",
        "base": "failed",
    }


def test_more_is_built_where_more_is_asked_for(contexts: Contexts) -> None:
    contexts.write("a", "one")
    contexts.dockerfile(
        "FROM python:3.11-slim AS deps\nRUN echo pip install nothing\n"
        "FROM deps\nCOPY a /a\nRUN echo after\n"
    )
    assert contexts.run("-t", f"{contexts.tag}:1", ".").code == 0
    done = contexts.run("--at-least=full", "-t", f"{contexts.tag}:2", ".")
    assert done.image["result"] == "retagged"  # nothing changed
    contexts.write("a", "two")
    done = contexts.run("--at-least=dependencies", "-t", f"{contexts.tag}:3", ".")
    assert done.image["decision"] == "dependencies"
    assert done.facts() == [("miss", "ran")] * 3


def test_the_document_is_written_where_it_is_wanted(two_steps: Contexts) -> None:
    (two_steps.root / ".aipipe").mkdir()
    code, out, _ = two_steps.command("run", "--json=.aipipe/build.json", "-t", two_steps.tag, ".")
    assert code == 0
    assert "2 of 2 steps predicted right" in out
    document = json.loads((two_steps.root / ".aipipe" / "build.json").read_text())
    assert document["images"][0]["tags"] == [two_steps.tag]
