from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.select.children import Children
from pytest_aipipe.select.workers import NAME, Workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE = """\
import os, sys
class Bye:
    def __del__(self):
        late()
def late():
    print("late")
def told(x):
    if x:
        return 1
    return 2
bye = Bye()
if __name__ == "__main__":
    told(0)
    print(sys.argv, sys.path, sorted(os.environ), os.environ.get("PYTHONPATH"))
    print(sorted(sys.modules), sorted(sys.path_importer_cache))
    sys.exit(4)
"""
ENDS = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12}


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    (tmp_path / "mod.py").write_text(MODULE)
    found = Children(os.path.realpath(tmp_path), lambda: "test")
    yield found
    found.stop()
    found.close()


def run(top: Path, words: list[str], env: dict[str, str] | None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-B", *words],
        cwd=top, env=env, capture_output=True, text=True, input="", check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def both(
    children: Children, top: Path, words: list[str], env: dict[str, str] | None = None
) -> set[int] | None:
    """Run a child that is asked, as it would run otherwise; return the lines that it noted."""
    plain = run(top, words, env)
    children.listen()
    assert run(top, words, env) == plain
    assert len(children.asked) == 1
    ((who, noted, _),) = children.noted()
    assert who == "test"
    if noted is None:
        return None
    return noted.get(os.path.realpath(top / "mod.py"), (set(), set()))[0]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["mod.py", "a"], ENDS | {10, 13, 14, 15, 16}),
        (["-m", "mod"], ENDS | {10, 13, 14, 15, 16}),
        (["-W", "error", "-c", "import mod; mod.told(1)"], ENDS | {9}),
        (["-c", "1 / 0"], set()),
        (["-"], set()),
    ],
)
def test_a_child_notes_what_it_runs_to_its_end_and_sees_nothing_of_it(
    children: Children, tmp_path: Path, words: list[str], lines: set[int]
) -> None:
    assert both(children, tmp_path, words) == lines


def test_an_environment_of_its_own_reaches_the_child(children: Children, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('mine')")
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:/elsewhere", "A": "1"}
    assert both(children, tmp_path, ["-m", "mod"], env) == ENDS | {10, 13, 14, 15, 16}


@pytest.mark.parametrize(
    "code",
    [
        "import threading; threading.Thread(target=print).start()",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork() or os._exit(0)",
        "import os; os._exit(3)",
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.execv('/bin/true', ['true'])",
        "import sys; sys.settrace(None)",
        "print(open('mod.py').read())",
        "import linecache; linecache.getlines('mod.py')",
        "import mod, inspect; inspect.getsource(mod.told)",
        "import mod\nfor one in range(600_000): mod.told(one)",
        "import sys; sys.path.insert(0, 'copy.zip'); import other",
    ],
)
def test_a_child_that_may_do_more_than_is_seen_is_unsure(
    children: Children, tmp_path: Path, code: str
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "copy.zip", "w") as archive:
        archive.writestr("other.py", "A = 1\n")
    assert both(children, tmp_path, ["-c", code]) is None


@pytest.mark.parametrize(
    "words",
    [
        ["-I", "-c", "0"],
        ["-S", "-c", "0"],
        ["-Ec", "0"],
        ["-V"],
        ["-X", "importtime", "-c", "0"],
    ],
)
def test_a_child_that_begins_without_us_is_not_asked(
    children: Children, tmp_path: Path, words: list[str]
) -> None:
    children.listen()
    run(tmp_path, words, None)
    run(tmp_path, ["-c", "0"], {**os.environ, "COVERAGE_PROCESS_START": "x"})
    subprocess.run("true", shell=True, check=True)
    subprocess.run(["true"], check=True)
    assert not children.asked


def test_code_of_another_place_is_not_known(children: Children, tmp_path: Path) -> None:
    top = tmp_path / "project"
    top.mkdir()
    other = Children(os.path.realpath(top), lambda: "test")
    try:
        assert both(other, tmp_path, ["-m", "mod"]) is None
    finally:
        other.stop()
        other.close()


def test_processes_of_multiprocessing_are_told_once_it_is_loaded() -> None:
    class BaseProcess:
        def start(self) -> None:
            seen.append("ran")

    seen: list[str] = []
    module = type(sys)(NAME)
    vars(module)["BaseProcess"] = BaseProcess
    original = BaseProcess.start
    workers = Workers(lambda: seen.append("told"))
    workers.listen(type(sys)("another"))
    workers.listen(module)
    BaseProcess().start()
    workers.stop()
    assert seen == ["told", "ran"]
    assert BaseProcess.start is original
