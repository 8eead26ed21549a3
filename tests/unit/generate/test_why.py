from __future__ import annotations

import pytest

from pytest_aipipe.generate.model import Comparison, Gap, Outcome
from pytest_aipipe.generate.why import Evidence

SOURCE = """\
def load(path, limit):
    try:
        text = open(path).read()
    except OSError:
        text = ""
    if len(text) > limit:
        return "long"
    if text and limit == 7:
        return "seven"
    return text
"""


def gap(*lines: int) -> Gap:
    return Gap("shop.py", "shop", "load", frozenset(lines), frozenset())


def ran(*lines: int, seen: tuple[Comparison, ...] = (), tries: int = 1) -> Outcome:
    return Outcome("passed", {"shop.py": frozenset(lines)}, comparisons=seen, tries=tries)


def evidence() -> Evidence:
    return Evidence({"shop.py": SOURCE})


def test_a_guard_is_told_with_what_it_compared_and_what_was_tried() -> None:
    found = evidence()
    seen = Comparison("shop.py", 6, ">", "3", "10", taken=False)
    found.note(gap(7), ran(2, 3, 6, seen=(seen,)), "construct")
    found.note(gap(7), ran(6, tries=900), "breed")
    told = found.explain(gap(7))
    assert "line 6 (if len(text) > limit)" in told.why
    assert "3 > 10, which was false" in told.why
    assert "901 tries" in told.why
    assert "Tried: breed 900, construct 1." in told.why
    assert told.suggestion == (
        "Write a test in which `len(text) > limit` at line 6 is true; for 3 > 10 it was not."
    )


def test_of_a_condition_with_parts_the_suggestion_speaks_of_a_part() -> None:
    found = evidence()
    seen = Comparison("shop.py", 8, "==", "1", "7", taken=False)
    found.note(gap(9), ran(8, seen=(seen,)), "construct")
    assert "a part of `text and limit == 7`" in found.explain(gap(9)).suggestion


def test_a_handler_is_told_by_what_it_catches_and_where_it_could_come_from() -> None:
    found = evidence()
    found.note(gap(5), ran(2, 3), "force")
    told = found.explain(gap(5))
    assert "nothing in it raised OSError" in told.why
    assert "open(path).read() within lines 3 to 3 raises OSError" in told.suggestion


def test_a_symbol_that_was_not_entered_is_told_with_the_last_error() -> None:
    found = evidence()
    found.note(gap(7), Outcome("raised", raised="TypeError: no"), "construct")
    told = found.explain(gap(7))
    assert told.why.startswith("load was not entered in 1 tries; the last error was TypeError: no.")


def test_without_a_try_the_budget_is_named() -> None:
    assert "--ai-budget" in evidence().explain(gap(7)).suggestion


def test_a_refused_test_is_told_with_the_reason() -> None:
    found = evidence()
    found.note(gap(7), ran(6))
    found.note_rejection(gap(7), "does not pass every time")
    assert "does not pass every time" in found.explain(gap(7)).why


@pytest.mark.parametrize(
    ("path", "module", "missing", "hint"),
    [
        ("service/app.py", "app", "app", 'pythonpath = ["service"]'),
        ("src/shop/api.py", "shop.api", "shop", 'pythonpath = ["src"]'),
        ("src/shop/__init__.py", "shop", "shop", 'pythonpath = ["src"]'),
        ("app.py", "app", "app", "Make `import app` work"),
        ("service/app.py", "app", "flask", "Make `import app` work"),
    ],
)
def test_code_that_cannot_be_imported_is_said_so_with_the_setting(
    path: str, module: str, missing: str, hint: str
) -> None:
    found = evidence()
    found.note_import(f"{module}: ModuleNotFoundError: No module named '{missing}'")
    told = found.explain(Gap(path, module, "f", frozenset({2}), frozenset()))
    assert f"No module named '{missing}'" in told.why
    assert hint in told.suggestion


EARLY = """\
def last(text, most):
    if most < 0:
        kept = text.split()[most:]
        if len(kept) < 2:
            return kept[0]
        text = " ".join(kept)
    if not text:
        return ""
    for word in text.split():
        if word == "skip":
            continue
        print(word)
    return text
"""


@pytest.mark.parametrize(
    ("line", "ran_before", "guard"),
    [(6, (2, 3, 4, 5), 4), (12, (2, 7, 9, 10, 11), 10), (13, (2, 7, 8), 7), (5, (2, 3, 4), 4)],
)
def test_behind_an_early_way_out_the_guard_of_that_one_is_told(
    line: int, ran_before: tuple[int, ...], guard: int
) -> None:
    found = Evidence({"shop.py": EARLY})
    found.note(gap(line), ran(*ran_before), "construct")
    assert f"line {guard} " in found.explain(gap(line)).why
