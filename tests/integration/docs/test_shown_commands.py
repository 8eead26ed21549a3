"""The commands that pages show beside their text: each runs on what its page speaks of."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.docs.listing import ADDED, COMMANDS, TOP, environment, replaced
from tests.integration.docs.scenes import SCENES, Scene

if TYPE_CHECKING:
    import re
    from pathlib import Path

    from tests.integration.model_server import ModelServer

SHOWN = [one for one in COMMANDS if not one.console and not one.reason]
HERE = sorted({one.page for one in SHOWN if not one.needs_engine})
QUICK = {"docs/build.md", "docs/image.md", "docs/judge.md"}


def is_said(text: str | re.Pattern[str], output: str) -> bool:
    """Tell whether ``text`` can be read in ``output``."""
    return text in output if isinstance(text, str) else bool(text.search(output))


def carry_out(
    scene: Scene, commands: list[str], folder: Path, around: dict[str, str], service: str = ""
) -> None:
    """Run a page's commands in their order; each ends as its scene says.

    ``service`` is the address that is asked in place of the public service's.
    """
    values = {"pytest-aipipe": str(TOP), "https://api.osv.dev": service}
    first = folder / "first" / "shop"
    first.mkdir(parents=True)
    scene.prepare(first, around)
    for number, command in enumerate(commands):
        where = first
        if scene.fresh:
            where = folder / str(number) / "shop"
            shutil.copytree(first, where, symlinks=True)
        if command in scene.before:
            scene.before[command](where, around)
        done = subprocess.run(
            ["bash", "-euc", f"{replaced(command, values)} {ADDED.get(command, '')}"],
            cwd=where,
            env={**around, **scene.sets},
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        said = f"$ {command}\n{done.stdout}{done.stderr}"
        assert done.returncode == scene.codes.get(command, 0), said
        assert is_said(scene.says.get(command, ""), done.stdout + done.stderr), said
    scene.after(first, around)


@pytest.mark.parametrize(
    "page",
    [page if page in QUICK else pytest.param(page, marks=pytest.mark.slow) for page in HERE],
)
def test_every_command_that_a_page_shows_runs(
    page: str, tmp_path: Path, server: ModelServer
) -> None:
    model = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none", "AIPIPE_MODEL_RETRIES": "0"}
    around = {**environment(), "AIPIPE_BUDGET": "12", "XDG_STATE_HOME": str(tmp_path / "state")}
    commands = [one.text for one in SHOWN if one.page == page and not one.needs_engine]
    around |= model if page == "docs/model.md" else {}
    carry_out(SCENES.get(page, Scene()), commands, tmp_path, around)
    assert bool(server.requests) == (page == "docs/model.md")


def test_what_a_scene_knows_of_a_command_is_of_one_that_its_page_shows() -> None:
    shown = {(one.page, one.text) for one in SHOWN}
    known = {
        (page, command)
        for page, scene in SCENES.items()
        for command in (*scene.before, *scene.codes, *scene.says)
    }
    assert known - shown == set()
