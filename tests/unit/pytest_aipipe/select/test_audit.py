from __future__ import annotations

import importlib.util
import linecache
import os
import pkgutil
import shutil
import sys
import tokenize
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.select.audit import Ear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def started(top: Path, words: list[str], folder: str | None = None) -> bool:
    """Whether starting ``words`` counts as a program that may run code of the project ``top``."""

    def inside(file: str) -> str | None:
        return file.removeprefix(f"{top}/") if file.startswith(f"{top}/") else None

    ear = Ear(lambda: "test", inside)
    ear.heard("subprocess.Popen", (words[0], words, folder, None))
    return bool(ear.starts)


def ran(top: Path, line: str) -> bool:
    """Whether running ``line`` by ``os.system`` counts as such a program."""
    ear = Ear(lambda: "test", lambda file: file if file.startswith(f"{top}/") else None)
    ear.heard("os.system", (line.encode(),))
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
    assert started(tmp_path, ["sh", "-c", "python -c 0"])


@pytest.mark.parametrize(
    "line",
    [
        "cat",
        "git status && git diff | wc -l > out.txt 2>&1",
        "wget http://localhost/a.txt -O a.txt",
        "echo 'a; python b'",
    ],
)
def test_a_line_for_a_shell_is_the_commands_in_it(tmp_path: Path, line: str) -> None:
    assert not started(tmp_path, ["/bin/sh", "-c", line])
    assert not ran(tmp_path, line)


@pytest.mark.parametrize(
    "line",
    [
        "python -m app",
        "echo a; ./run",
        "echo a | python",
        "cat `which run`",
        "cat $FILE",
        "cat *.py",
        "PATH=. cat",
        "(cat)",
        "cat <<< a",
        "echo 'a",
        "cat\npython",
        "cd bin && cat x",
        "cat < HERE/a.py",
        "cat '' HERE/a.py",
        "echo 1 > HERE/a.py",
        "curl file:///a.py",
        "",
    ],
)
def test_a_line_that_may_run_or_read_code_of_the_project_counts(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").touch()
    line = line.replace("HERE", str(tmp_path))
    assert started(tmp_path, ["/bin/sh", "-c", line])
    assert ran(tmp_path, line)


def heard(top: Path, act: Callable[[], object]) -> set[str]:
    """What is noted as read of the project ``top`` while ``act`` runs."""
    ear = Ear(lambda: "test", lambda file: os.path.relpath(file, top))
    ear.listen()
    try:
        act()
    finally:
        ear.stop()
    return {one for one in ear.reads.get("test", ()) if not one.startswith("..")}


def load(file: Path) -> None:
    spec = importlib.util.spec_from_file_location("loaded_from_there", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_code_that_is_read_as_text_is_read_like_any_file(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("A = 1\n")
    acts: list[Callable[[], object]] = [
        file.read_text,
        file.read_bytes,
        lambda: file.open().close(),
        lambda: tokenize.open(file).close(),
        lambda: os.close(os.open(file, os.O_RDONLY)),
        lambda: shutil.copy(file, tmp_path / "b.txt"),
    ]
    for act in acts:
        assert heard(tmp_path, act) == {"a.py"}


def test_code_that_is_loaded_or_shown_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.py"
    file.write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert heard(tmp_path, lambda: load(file)) == set()
    assert heard(tmp_path, lambda: linecache.getlines(str(file))) == set()
    assert heard(tmp_path, lambda: importlib.import_module("a")) == set()
    monkeypatch.delitem(sys.modules, "a")


def test_who_looks_for_modules_lists_their_folder(tmp_path: Path) -> None:
    assert heard(tmp_path, lambda: list(pkgutil.iter_modules([str(tmp_path)]))) == {"./"}
    assert heard(tmp_path, lambda: list(tmp_path.glob("*.py"))) == {"./"}
