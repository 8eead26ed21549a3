"""What an assertion is about is the side that the code under test decides."""

from __future__ import annotations

import pytest

from aipipe_core import syntax
from pytest_aipipe.explore.instrument import Probe, instrument
from pytest_aipipe.explore.looked import calls_code, looked_at, written


def _seen(test: str) -> str | None:
    found = looked_at(syntax.parse(test, mode="eval").body)
    return None if found is None else written(found)


@pytest.mark.parametrize(
    ("test", "seen"),
    [
        ("expected == shop.total(3)", "shop.total(3)"),
        ("shop.total(3) == expected", "shop.total(3)"),
        ("shop.total(3) == other.total(3)", "shop.total(3)"),
        ("total == expected", "total"),
        ("3 == total", "total"),
        ("'a' in names", "names"),
        ("len(names) == 2", "len(names)"),
        ("sum([1, 2]) == shop.total()", "shop.total()"),
        ("not shop.is_open(3)", "shop.is_open(3)"),
        ("shop.is_open(3)", "shop.is_open(3)"),
        ("isinstance(shop.total(), int)", "shop.total()"),
        ("(await shop.total()) == 3", "(await shop.total())"),
        ("(a if b else c) == 3", "(a if b else c)"),
    ],
)
def test_it_is_the_side_that_calls_the_code_or_else_is_no_constant(test: str, seen: str) -> None:
    assert _seen(test) == seen


@pytest.mark.parametrize("test", ["a and b", "1 < a < 3", "isinstance(3, int)", "a or b == 3"])
def test_of_what_is_about_several_things_none_is_chosen(test: str) -> None:
    assert _seen(test) is None


def test_a_builtin_is_no_code_of_anybody() -> None:
    assert not calls_code(syntax.parse("len(sorted(names))"))
    assert calls_code(syntax.parse("len(shop.names())"))


def _checked(body: str, **names: object) -> list[dict[str, object]]:
    """Run a test with ``body`` and return what its assertions told."""
    tree = instrument(f"def test_it():\n    {body}\n", "test_it")
    probe = Probe((), look=False)
    scope: dict[str, object] = {"__aipipe_probe__": probe, **names}
    exec(compile(tree, "test_it.py", "exec"), scope)
    run = scope["test_it"]
    assert callable(run)
    run()
    return probe.checks


def test_a_failing_assertion_tells_what_the_code_gave_whichever_side_it_stands_on() -> None:
    (check,) = _checked("assert 5 == total(2)", total=lambda n: n + 1)
    assert check["held"] is False
    assert check["facts"] == [{"code": "assert total(2) == 3", "imports": [], "strength": 3}]


def test_a_failing_question_tells_its_answer() -> None:
    (check,) = _checked("assert not names(2)", names=lambda n: ["a"] * n)
    assert check["held"] is False
    assert [fact["code"] for fact in check["facts"]] == ['assert names(2) == ["a", "a"]']  # type: ignore[attr-defined]


def test_one_that_holds_tells_nothing_and_the_code_is_called_once() -> None:
    called: list[int] = []

    def seen(number: int) -> list[int]:
        called.append(number)
        return called

    (check,) = _checked("assert [3] == seen(3)", seen=seen)
    assert check == {"line": 2, "held": True, "op": "=="}
    assert called == [3]


def test_of_several_things_in_one_it_is_only_told_that_they_do_not_hold() -> None:
    (check,) = _checked("assert total(2) and total(0)", total=lambda n: n)
    assert check == {"line": 2, "held": False, "op": ""}
