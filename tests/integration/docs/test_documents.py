"""The documents: they build with no broken link, and every command in them runs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.docs.listing import BEGINNINGS, COMMANDS, TOP, environment

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted({command.page for command in COMMANDS if command.console})


def test_the_documents_build_and_no_link_is_broken(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--site-dir", str(tmp_path / "site")],
        cwd=TOP,
        env={**environment(), "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "index.html").is_file()


def test_each_page_with_commands_is_found() -> None:
    assert {"docs/checklist.md", "docs/blueprint.md", "docs/ci.md"} <= set(PAGES)
    engine = {one.page for one in COMMANDS if one.needs_engine}
    assert engine == {"docs/build.md", "docs/image.md", "docs/deploy.md", "docs/measuring.md"}


def test_each_reason_not_to_execute_a_command_is_still_somebodys() -> None:
    unused = [
        start for start in BEGINNINGS if not any(one.text.startswith(start) for one in COMMANDS)
    ]
    assert unused == []


def test_the_list_names_every_command_and_why_one_is_not_executed() -> None:
    done = subprocess.run(
        [sys.executable, "docs/commands.py"], cwd=TOP, capture_output=True, text=True, check=True
    )
    *lines, total = done.stdout.splitlines()
    assert len(lines) == len(COMMANDS)
    assert all(("not executed: " in line) == (": $ " not in line) for line in lines)
    assert total.startswith(f"{len([one for one in COMMANDS if not one.reason])} executed")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_pages_console_runs(page: str, tmp_path: Path) -> None:
    sys.path.insert(0, str(TOP / "examples"))
    try:
        from demo import prepare  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    folder = tmp_path / "orders"
    prepare(folder)
    for command in [one.text for one in COMMANDS if one.console and one.page == page]:
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=240,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
