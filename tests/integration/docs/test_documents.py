"""The documents: they build with no broken link, and every command in them runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
DOCS = TOP / "docs"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(path.name for path in DOCS.glob("*.md") if BLOCK.search(path.read_text()))


def commands_of(page: str) -> list[str]:
    """Return the lines that begin with ``$``, in the order of the page."""
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def environment() -> dict[str, str]:
    strange = ("GIT_", "PYTEST_", "COV_", "COVERAGE_", "AIPIPE_", "GITHUB_", "GITLAB_", "CI")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(strange)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(TOP), "GIT_CONFIG_GLOBAL": os.devnull}


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
    assert {"checklist.md", "blueprint.md", "ci.md"} <= set(PAGES)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_runs(page: str, tmp_path: Path) -> None:
    sys.path.insert(0, str(TOP / "examples"))
    try:
        from demo import prepare  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    folder = tmp_path / "orders"
    prepare(folder)
    for command in commands_of(page):
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
