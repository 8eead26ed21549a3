from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.select.audit import Ear

if TYPE_CHECKING:
    from pathlib import Path


def started(top: Path, words: list[str], folder: str | None = None) -> bool:
    """Whether starting ``words`` counts as a program that may run code of the project ``top``."""

    def inside(file: str) -> str | None:
        return file.removeprefix(f"{top}/") if file.startswith(f"{top}/") else None

    ear = Ear(lambda: "test", inside)
    ear.heard("subprocess.Popen", (words[0], words, folder, None))
    return bool(ear.starts)


@pytest.mark.parametrize(
    "words", [["cat"], ["/usr/bin/less", "-R"], ["sed", "-e", "s/a/b/"], ["git", "status"]]
)
def test_a_filter_of_what_it_is_given_runs_no_code_of_the_project(
    tmp_path: Path, words: list[str]
) -> None:
    assert not started(tmp_path, words)


def test_a_filter_that_is_told_a_file_of_the_project_may_show_its_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    assert started(tmp_path, ["cat", str(tmp_path / "a.py")])
    assert started(tmp_path, ["cat", f"--file={tmp_path}/a.py"])
    assert started(tmp_path, ["cat", "a.py"], str(tmp_path))
    assert not started(tmp_path, ["cat", "b.py"], str(tmp_path))


def test_a_program_of_the_project_is_no_filter_whatever_its_name(tmp_path: Path) -> None:
    assert started(tmp_path, [str(tmp_path / "bin" / "cat")])
    assert started(tmp_path, ["python", "-c", "0"])
    assert started(tmp_path, ["sh", "-c", "cat"])
