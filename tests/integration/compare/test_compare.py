from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from aipipe_core.change import base_worktree, read_change
from pytest_aipipe.compare.accept import candidate_of
from pytest_aipipe.compare.model import Announced, Kind
from pytest_aipipe.compare.run import compare
from pytest_aipipe.generate.model import KnownTest
from pytest_aipipe.generate.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_aipipe.compare.model import BehaviorChange, Compared
    from pytest_aipipe.generate.model import Candidate

pytestmark = pytest.mark.slow


class Silent:
    def step(self, text: str, *, done: int, total: int, left: float) -> None:
        pass


@dataclass
class Repository:
    root: Path
    private: Path

    def git(self, *words: str) -> str:
        user = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(self.root), *user, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        for name, text in files.items():
            path = self.root / f"{name}.py"
            path.write_text(dedent(text).lstrip("\n"), "utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def compare(
        self,
        base: str,
        *tests: str,
        budget: float = 40,
        candidates: Sequence[Candidate] = (),
        enough: Callable[[], bool] = lambda: False,
    ) -> Compared:
        change = read_change(self.root, f"{base}..HEAD")
        path = self.root / "test_shapes.py"
        known = [
            KnownTest(f"test_shapes.py::{t}", path, t, (), {}, {"shapes.py": frozenset({2})}, {})
            for t in tests
        ]
        request = Request(
            root=self.root,
            rootdir=self.root,
            target=self.root / "ai_generated",
            python_path=(str(self.root), *sys.path),
            pytest_args=(f"--rootdir={self.root}", "-p", "no:asyncio"),
            sources={"shapes.py": (self.root / "shapes.py").read_text("utf-8")},
            modules={"shapes.py": "shapes"},
            added={f.path: f.changed_lines for f in change.files},
            arcs={},
            covered={},
            covered_arcs={},
            gaps=(),
            tests=known,
            budget=budget,
        )
        base_root = base_worktree(change, self.private)
        return compare(
            request,
            change,
            base_root,
            Silent(),
            budget=budget,
            candidates=candidates,
            enough=enough,
        )

    def run(self, change: BehaviorChange, where: Path) -> int:
        folder = where / "ai_generated" / "behavior"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / change.file_name).write_text(change.test, "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:aipipe", "-p", "no:asyncio"]
        ran = subprocess.run(
            [*command, "-p", "no:cacheprovider", "ai_generated"],
            cwd=where, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "1 passed" in ran.stdout or "1 failed" in ran.stdout, ran.stdout + change.test
        return ran.returncode


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "project"
    root.mkdir()
    made = Repository(root, tmp_path / "private")
    made.git("init", "-q")
    return made


TESTS = """
from shapes import area


def test_area():
    assert area(3, 4) == 12
"""


def test_a_guard_that_is_gone_is_told_with_a_test_that_fails_on_head(
    repository: Repository,
) -> None:
    base = repository.commit(
        "one",
        test_shapes=TESTS,
        shapes="""
        def area(w, h):
            if w < 0:
                raise ValueError("negative")
            return w * h
        """,
    )
    repository.commit("Clean up", shapes="def area(w, h):\n    return w * h\n")
    compared = repository.compare(base, "test_area")
    assert compared.changes
    change = compared.changes[0]
    assert (change.symbol, change.kind) == ("shapes.area", Kind.ERROR)
    assert "ValueError" in change.base
    assert change.announced is Announced.UNANNOUNCED
    assert change.hunk is not None
    assert "pytest.raises(ValueError" in change.test
    assert repository.run(change, repository.root) == 1
    repository.git("checkout", "-q", "--detach", base)
    assert repository.run(change, repository.root) == 0


def test_another_value_is_told_with_both_sides(repository: Repository) -> None:
    base = repository.commit("one", test_shapes=TESTS, shapes="def area(w, h):\n    return w * h\n")
    repository.commit("Fix area of nothing", shapes="def area(w, h):\n    return w * h or -1\n")
    compared = repository.compare(base, "test_area")
    assert compared.changes
    change = compared.changes[0]
    assert (change.kind, change.base, change.head) == (Kind.VALUE, "0", "-1")
    assert change.announced is Announced.INTENDED
    assert not (repository.root / "ai_generated").exists()


def test_where_it_is_enough_what_was_given_is_told_and_nothing_more_is_looked_for(
    repository: Repository,
) -> None:
    base = repository.commit("one", test_shapes=TESTS, shapes="def area(w, h):\n    return w * h\n")
    repository.commit("Fix area of nothing", shapes="def area(w, h):\n    return w * h or -1\n")
    (change,) = repository.compare(base, "test_area").changes
    assert not repository.compare(base, "test_area", enough=lambda: True).tried
    known = candidate_of(change.test)
    assert known is not None
    again = repository.compare(base, "test_area", candidates=[known], enough=lambda: True)
    assert again.tried == 1
    assert [(one.base, one.head) for one in again.changes] == [("0", "-1")]


def test_nothing_is_told_of_a_change_that_only_looks_different(repository: Repository) -> None:
    base = repository.commit("one", test_shapes=TESTS, shapes="def area(w, h):\n    return w * h\n")
    repository.commit(
        "two",
        shapes='def area(w: int, h: int) -> int:\n    """Say it."""\n    return (w * h)  # why\n',
    )
    compared = repository.compare(base, "test_area")
    assert (compared.changes, compared.tried) == ((), 0)


def test_chance_is_no_behaviour(repository: Repository) -> None:
    text = """
    import random

    def area(w, h):
        scale = {}
        return (w * h, random.random(), id(scale))
    """
    tests = "from shapes import area\n\ndef test_area():\n    assert area(3, 4)[0] == 12\n"
    base = repository.commit("one", test_shapes=tests, shapes=text)
    repository.commit("two", shapes=text.replace("scale = {}", "scale = dict()"))
    compared = repository.compare(base, "test_area", budget=12)
    assert compared.changes == ()
    assert compared.tried > 0


def test_an_argument_that_is_left_in_another_state_is_told(repository: Repository) -> None:
    text = "def tidy(items):\n    items = sorted(items)\n    return items\n"
    tests = "from shapes import tidy\n\ndef test_tidy():\n    assert tidy([3, 1]) == [1, 3]\n"
    base = repository.commit("one", test_shapes=tests, shapes=text)
    repository.commit("two", shapes=text.replace("items = sorted(items)", "items.sort()"))
    compared = repository.compare(base, "test_tidy")
    told = next(change for change in compared.changes if change.kind is Kind.ARGUMENT)
    assert (told.base, told.head) == ("[3, 1]", "[1, 3]")
    assert repository.run(told, repository.root) == 1
