from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

from aipipe_core.sandbox import choose
from pytest_aipipe.mutate.checks import HEADER, numbered
from pytest_aipipe.mutate.confined import launch_in
from pytest_aipipe.mutate.host import Launch, Trial, launch_plainly, run_mutants
from pytest_aipipe.mutate.make import make_mutants
from pytest_aipipe.mutate.model import MutationScore, Verdict

if TYPE_CHECKING:
    from pathlib import Path


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), "utf-8")
        return path

    def score(
        self,
        *,
        matrix: bool = False,
        seconds: float = 60,
        launch: Launch = launch_plainly,
    ) -> MutationScore:
        module = self.root / "shapes.py"
        text = module.read_text("utf-8")
        lines = frozenset(range(1, text.count("\n") + 2))
        mutants = make_mutants(text, lines)
        trial = Trial(self.root, (str(self.root),), (), matrix=matrix, launch=launch)
        before = sorted(self.root.rglob("*"))
        score = run_mutants(["test_shapes.py"], {str(module): mutants}, trial, seconds=seconds)
        assert sorted(self.root.rglob("*")) == before
        return score


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("pytest.ini", "[pytest]\n")
    return project


def verdicts(score: MutationScore) -> dict[str, str]:
    return {
        f"{r.mutant.line} {r.mutant.before} => {r.mutant.after}": r.verdict for r in score.results
    }


def test_functions_closures_and_decorated_functions_are_exchanged_in_place(
    project: Project,
) -> None:
    project.write(
        "shapes.py",
        """
        import functools

        @functools.lru_cache
        def cached(x):
            return x + x

        class Box:
            @property
            def later(self):
                def inner(y):
                    return y * y
                return inner
        """,
    )
    project.write(
        "test_shapes.py",
        """
        from shapes import Box, cached

        def test_cached():
            assert cached(3) == 6

        def test_box():
            assert Box().later(3) == 9
        """,
    )
    score = project.score()
    assert score.total >= 5
    assert score.survivors == ()
    assert verdicts(score)["5 x + x => x - x"] == "killed"
    assert verdicts(score)["11 y * y => y / y"] == "killed"


def test_what_runs_at_import_is_tried_by_importing_the_mutant(project: Project) -> None:
    project.write(
        "shapes.py",
        """
        LIMIT = 10
        UNSEEN = 5

        class Box:
            sides = 4

            def __init__(self, width=2):
                super().__init__()
                self.width = width
        """,
    )
    project.write(
        "test_shapes.py",
        """
        import shapes
        from shapes import LIMIT, Box

        def test_all():
            assert LIMIT == 10
            assert Box.sides == 4
            assert Box().width == 2
        """,
    )
    found = verdicts(project.score())
    assert found["1 10 => 11"] == "killed"
    assert found["2 5 => 6"] == "survived"
    assert found["5 4 => 3"] == "killed"
    assert found["7 2 => 3"] == "killed"
    assert found["8 super().__init__() => pass"] == "survived"
    assert found["9 self.width = width => pass"] == "killed"


def test_a_module_that_only_the_test_imports_is_mutated_as_well(project: Project) -> None:
    project.write("shapes.py", "LIMIT = 10\n\ndef f():\n    return LIMIT\n")
    project.write(
        "test_shapes.py",
        """
        def test_f():
            from shapes import f
            assert f() == 10
        """,
    )
    assert set(verdicts(project.score()).values()) == {"killed"}


def test_an_endless_mutant_and_one_that_ends_the_process_are_killed(project: Project) -> None:
    project.write(
        "shapes.py",
        """
        import os

        def count(n):
            while n > 0:
                n -= 1
            return n

        def leave(code):
            if code > 5:
                os._exit(3)
            return code
        """,
    )
    project.write(
        "test_shapes.py",
        """
        from shapes import count, leave

        def test_count():
            assert count(3) == 0

        def test_leave():
            assert leave(5) == 5
        """,
    )
    score = project.score()
    found = verdicts(score)
    assert found["5 n -= 1 => n += 1"] == "timeout"
    assert found["9 code > 5 => code >= 5"] == "crashed"
    killers = {r.mutant.after: r.killers for r in score.results}
    assert killers["n += 1"] == ("test_shapes.py::test_count",)


def test_only_tests_that_reach_a_mutant_count_and_failing_ones_never(project: Project) -> None:
    project.write(
        "shapes.py",
        """
        def used(x):
            return x + 1

        def unused(x):
            return x - 1
        """,
    )
    project.write(
        "test_shapes.py",
        """
        from shapes import unused, used

        def test_used():
            assert used(1) == 2

        def test_weak():
            used(1)

        def test_wrong():
            assert unused(1) == 5
        """,
    )
    score = project.score(matrix=True)
    assert score.unstable == ("test_shapes.py::test_wrong",)
    assert {r.verdict for r in score.results if r.mutant.line > 3} == {Verdict.UNCOVERED}
    total, killed = score.of_test("test_shapes.py::test_used")
    assert total == killed >= 3
    assert score.of_test("test_shapes.py::test_weak") == (total, 0)
    assert score.of_test("test_shapes.py::test_wrong") == (0, 0)


def test_state_never_passes_from_one_mutant_to_the_next(project: Project) -> None:
    project.write(
        "shapes.py",
        """
        SEEN = []

        def note(x):
            SEEN.append(x)
            return len(SEEN)
        """,
    )
    project.write(
        "test_shapes.py",
        """
        import pytest
        import shapes

        @pytest.fixture(scope="session")
        def once():
            return shapes.note("a")

        def test_once(once):
            assert once == 1

        def test_twice(once):
            assert shapes.note("b") == 2
        """,
    )
    score = project.score()
    assert score.unstable == ()
    assert score.survivors == ()


def test_what_there_is_no_time_for_is_unjudged(project: Project) -> None:
    project.write("shapes.py", "def f(x):\n    return x + 1\n")
    project.write("test_shapes.py", "from shapes import f\n\ndef test_f():\n    assert f(1) == 2\n")
    score = project.score(seconds=0.0)
    assert {r.verdict for r in score.results} == {Verdict.UNJUDGED}
    assert score.total == 0


def test_tests_that_cannot_be_collected_are_said_so(project: Project) -> None:
    project.write("shapes.py", "def f(x):\n    return x + 1\n")
    project.write("test_shapes.py", "import no_such_module_anywhere\n")
    score = project.score()
    assert score.total == 0
    assert score.note


def test_the_child_session_runs_in_a_sandbox(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPIPE_PROOF_TOKEN", "secret")
    project.write("shapes.py", "LIMIT = 3\n\ndef f(x):\n    return x + LIMIT\n")
    project.write(
        "test_shapes.py",
        """
        import os
        from pathlib import Path

        import pytest
        from shapes import f

        def test_f(tmp_path):
            (tmp_path / "allowed").write_text("x")
            with pytest.raises(OSError):
                Path(__file__).with_name("forbidden").write_text("x")
            assert "AIPIPE_PROOF_TOKEN" not in os.environ
            assert f(1) == 4
        """,
    )
    score = project.score(launch=launch_in(choose()))
    assert score.unstable == ()
    assert score.killed == score.total >= 4


def test_it_is_said_which_checks_of_a_test_notice_and_a_check_that_never_holds_is_excused(
    project: Project,
) -> None:
    project.write("shapes.py", "def both(x):\n    return x + 1, x * 2\n")
    checks = numbered(
        ["assert made[0] == 4", "assert made[1] == 6", "assert made == 'never'", "assert made"]
    )
    body = "\n".join(["made = both(3)", *checks])
    test = f"from shapes import both\n{HEADER}\n\n\ndef test_both():\n{indent(body, '    ')}\n"
    (project.root / "test_shapes.py").write_text(test)

    score = project.score(matrix=True)

    assert score.unstable == ()
    tripped = {
        r.mutant.after: r.tripped.get("test_shapes.py::test_both")
        for r in score.results
        if r.verdict is Verdict.KILLED
    }
    assert tripped["x - 1"] == (0,)
    assert tripped["x / 2"] == (1,)
    assert score.ratio == 1.0
