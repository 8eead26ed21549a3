"""The commands that pages show and that need an engine: builds, images, releases."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.aipipe_build.conftest import docker  # noqa: F401 - a fixture
from tests.integration.aipipe_deploy.conftest import BENCH, images, script, shop  # noqa: F401 - likewise
from tests.integration.docs.listing import COMMANDS, environment
from tests.integration.docs.scenes import SCENES, Scene, Step, run
from tests.integration.docs.test_shown_commands import carry_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.slow]

NAMES = ("shop/web:latest", "shop/web:1")
# Assessed as it must be, the full way gone, no request lost.
LIVE: dict[str, str | re.Pattern[str]] = {
    "python bench/commit_to_live.py --watch 20": re.compile(
        r"^low +low +impacted +rolling +[\d. ]+ [1-9]\d*, 0  done$", re.MULTILINE
    )
}


def shown(page: str) -> list[str]:
    return [one.text for one in COMMANDS if one.page == page and one.needs_engine]


def known(name: str) -> bool:
    words = ["docker", "image", "inspect", name]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def _shops_images(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lend the pages' names of images for a test; whoever has such images keeps them."""
    request.getfixturevalue("docker")
    if any(known(name) for name in NAMES):
        pytest.skip(f"the engine has an image that is called as the pages' own: {NAMES}")
    yield
    there = [name for name in NAMES if known(name)]
    if there:
        subprocess.run(["docker", "image", "rm", *there], capture_output=True, check=True)


def _measured(folder: Path, around: dict[str, str]) -> None:
    assert run(folder, around, "aipipe_build", "run", "--measure", "-t", "shop/web:1", ".") == 0


@pytest.fixture
def asked() -> list[str]:
    """Return where the questions to a service of advisories are kept."""
    return []


@pytest.fixture
def service(asked: list[str]) -> Iterator[str]:
    """Yield the address of a service that answers as OSV's does and knows of nothing."""
    table = script("image_scan")

    def answer(path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        asked.extend(query["package"]["name"] for query in body["queries"])
        found: tuple[int, bytes] = table.answers(vulnerable=False)(path, body)
        return found

    with table.serving(table.Row("", 0, "", serve=answer)) as address:
        yield address


@pytest.mark.usefixtures("_shops_images")
@pytest.mark.parametrize("page", ["docs/build.md", "docs/image.md"])
def test_every_command_of_the_build_agent_that_a_page_shows_runs(
    page: str, tmp_path: Path, service: str, asked: list[str]
) -> None:
    scene = replace(SCENES[page], before={"aipipe-build scan shop/web:1": _measured})
    around = {**environment(), "XDG_STATE_HOME": str(tmp_path / "state")}
    carry_out(scene, shown(page), tmp_path, around, service)
    assert bool(asked) == (page == "docs/image.md")


@pytest.mark.usefixtures("images")
def test_the_way_from_commit_to_live_is_measured(tmp_path: Path) -> None:
    scene = Scene(lambda folder, _: (folder / "bench").symlink_to(BENCH), says=LIVE)
    carry_out(scene, shown("docs/measuring.md"), tmp_path, environment())


class Releases:
    """What leads up to the page's commands, in the order in which they stand there."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.image = script("deploy_shop").IMAGE

    def prepare(self, folder: Path, _: dict[str, str]) -> None:
        # The project's own folder has the proxy's state: the commands run there.
        folder.rmdir()
        folder.symlink_to(self.project.folder, target_is_directory=True)

    def second(self, _folder: Path, _around: dict[str, str]) -> None:
        """Release a version that can be taken back."""
        done = self.project.run("up", "--image", f"web={self.image}:2")
        assert done.returncode == 0, done.stderr

    def killed(self, _folder: Path, around: dict[str, str]) -> None:
        """Kill a release's runner after a write of its journal."""
        matrix = [sys.executable, str(script("deploy_kill").__file__), "--runner", "9", "after"]
        words = ["up", "--root", str(self.project.folder), "--strategy", "canary"]
        done = subprocess.run(
            [*matrix, "--", *words, "--image", f"web={self.image}:2"],
            cwd=self.project.folder, env=around, capture_output=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL

    def scene(self) -> Scene:
        before: dict[str, Step] = {
            "aipipe-deploy rollback": self.second,
            "aipipe-deploy resume": self.killed,
        }
        return Scene(self.prepare, before)


def test_every_command_of_the_deploy_agent_that_its_page_shows_runs(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    project = request.getfixturevalue("shop")
    carry_out(Releases(project).scene(), shown("docs/deploy.md"), tmp_path, environment())
    releases = project.run("history").stdout
    assert releases.strip()
