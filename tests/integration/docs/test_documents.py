"""The documents: they build with no broken link, and every command in them runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from aipipe.cli import parser as aipipe_parser
from aipipe_deploy.cli import build_parser as deploy_parser

TOP = Path(__file__).parents[3]
sys.path.insert(0, str(TOP / "docs"))
try:
    from commands import commands_of, pages  # type: ignore[import-not-found]
finally:
    sys.path.pop(0)

COMMANDS = [command for page in pages() for command in commands_of(page)]
PAGES = sorted({command.page for command in COMMANDS if command.executed})
SHOWN = sorted({command.text for command in COMMANDS if not command.executed})


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
    assert {"docs/checklist.md", "docs/blueprint.md", "docs/ci.md"} <= set(PAGES)
    assert any(text.startswith("aipipe-deploy") for text in SHOWN)


@pytest.fixture(scope="module")
def plugin_options() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        cwd=TOP,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("text", SHOWN)
def test_a_command_that_is_only_shown_is_understood(text: str, plugin_options: str) -> None:
    program, *words = shlex.split(text)
    if program == "pytest":
        options = [word.partition("=")[0] for word in words if word.startswith("-")]
        assert [option for option in options if option not in plugin_options] == []
    elif program == "aipipe-build":
        done = subprocess.run(
            [sys.executable, "-m", "aipipe_build", words[0], "--help"],
            cwd=TOP,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    else:
        parser = aipipe_parser() if program == "aipipe" else deploy_parser()
        parser.parse_args(words)


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
    for command in [one.text for one in COMMANDS if one.executed and one.page == page]:
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
