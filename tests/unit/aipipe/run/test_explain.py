"""What a failure's output tells, and which hunk is suspected."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipipe.run.explain.blame import suspects
from aipipe.run.explain.suggest import suggestions
from aipipe.run.explain.traces import Place, Trace, read_trace
from aipipe.run.process import Ended
from aipipe_core.change import Change, FileChange, Hunk, Kind, Symbol

PYTHON = """\
Traceback (most recent call last):
  File "{top}/app/main.py", line 3, in main
    price(None)
  File "{top}/app/price.py", line 7, in price
    return basket.total
  File "/usr/lib/python3.11/json/__init__.py", line 1, in loads
AttributeError: 'NoneType' object has no attribute 'total'
"""
PYTEST = """\
____________ test_price ____________

    def test_price():
>       assert price(2) == 4
E       assert 3 == 4
E        +  where 3 = price(2)

tests/test_price.py:5: AssertionError
=========================== short test summary info ============================
FAILED tests/test_price.py::test_price - assert 3 == 4
FAILED tests/test_price.py::test_more[a b] - ValueError: x
"""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for name in ("app/main.py", "app/price.py", "tests/test_price.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_traceback_gives_its_places_nearest_first_and_its_error(top: Path) -> None:
    trace = read_trace(PYTHON.format(top=top), top)
    assert trace.places == (
        Place("app/price.py", 7, "price", 0),
        Place("app/main.py", 3, "main", 1),
    )
    assert trace.errors == ("AttributeError: 'NoneType' object has no attribute 'total'",)


def test_pytests_summary_gives_the_failed_tests(top: Path) -> None:
    trace = read_trace(PYTEST, top)
    assert trace.tests == ("tests/test_price.py::test_price", "tests/test_price.py::test_more[a b]")
    assert trace.places == (Place("tests/test_price.py", 5),)


def test_what_compilers_print_gives_places_with_colours_and_folders(top: Path) -> None:
    trace = read_trace(
        "\x1b[1mprice.py:4:2:\x1b[0m error: bad\nmake: *** [x] Error 1\n", top, "app"
    )
    assert trace.places == (Place("app/price.py", 4),)
    assert "make: *** [x] Error 1" in trace.errors


def test_places_outside_the_repository_are_nobodys_fault(top: Path) -> None:
    text = '  File "/etc/passwd", line 1, in x\n  File "../../x.py", line 2, in y\n'
    assert read_trace(text, top).places == ()


def code(path: str, *hunks: Hunk, symbols: tuple[Symbol, ...] = ()) -> FileChange:
    return FileChange(path, "M", frozenset({Kind.CODE}), hunks=hunks, symbols=symbols)


def changed(*files: FileChange) -> Change:
    return Change(Path("/r"), "a" * 40, "worktree", files)


def test_the_hunk_that_holds_the_place_is_suspected_before_its_function_and_its_file() -> None:
    function = Symbol("price", "function", 1, 20)
    file = code(
        "app/price.py",
        Hunk(2, 2, (), ("x",)),
        Hunk(6, 7, (), ("y", "z")),
        Hunk(40, 43, (), ("w",)),
        symbols=(function,),
    )
    found = suspects(changed(file), Trace(places=(Place("app/price.py", 7),)), {})
    assert [(one.start, one.end) for one in found] == [(7, 8), (2, 2), (43, 43)]
    assert "line 7" in found[0].why
    assert "price" in found[1].why


def test_the_place_nearest_to_the_error_weighs_most() -> None:
    near, far = code("a.py", Hunk(1, 1, (), ("x",))), code("b.py", Hunk(1, 1, (), ("x",)))
    trace = Trace(places=(Place("a.py", 1, "", 0), Place("b.py", 1, "", 3)))
    assert [one.path for one in suspects(changed(far, near), trace, {})] == ["a.py", "b.py"]


def test_past_fixes_break_a_tie_and_what_nothing_speaks_against_is_left_out() -> None:
    files = [code(name, Hunk(1, 1, (), ("x",))) for name in ("a.py", "b.py", "c.py")]
    trace = Trace(places=(Place("a.py", 1), Place("b.py", 1)))
    found = suspects(changed(*files), trace, {"b.py": 9})
    assert [one.path for one in found] == ["b.py", "a.py"]


def test_what_no_test_ran_is_hardly_at_fault() -> None:
    files = [code(name, Hunk(1, 1, (), ("x",))) for name in ("a.py", "b.py")]
    trace = Trace(places=(Place("a.py", 1), Place("b.py", 1, "", 1)))
    unrun = {"a.py": frozenset({1})}
    found = suspects(changed(*files), trace, {}, unrun)
    assert [one.path for one in found] == ["b.py", "a.py"]
    assert "no test ran it" in found[1].why


def test_a_failed_test_points_at_the_file_whose_name_it_bears() -> None:
    file = code("app/basket.py", Hunk(1, 1, (), ("x",)))
    found = suspects(changed(file), Trace(tests=("tests/test_basket.py::t",)), {})
    assert [one.path for one in found] == ["app/basket.py"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("ModuleNotFoundError: No module named 'attr'", 1, "Install attr"),
        ("NameError: name 'x' is not defined", 1, "x is never defined"),
        ("", 127, "was not found"),
        ("", -9, "memory"),
        ("nothing known", 1, None),
    ],
)
def test_what_to_try_follows_the_kind_of_failure(error: str, code: int, said: str | None) -> None:
    found = suggestions(Trace(errors=(error,)), Ended(code, 1.0), ["x"], 10)
    assert (said is None and not found) or (said is not None and said in found[0])


def test_a_timeout_says_which_setting_to_raise() -> None:
    found = suggestions(Trace(), Ended(None, 10.0, timed_out=True), ["x"], 10)
    assert "`timeout`" in found[0]
