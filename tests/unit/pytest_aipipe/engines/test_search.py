"""Edits that what a run compared asks for."""

from __future__ import annotations

import ast

import pytest

from pytest_aipipe.engines.source.edits import Pool
from pytest_aipipe.engines.techniques.search import negated_edits
from pytest_aipipe.generate.model import Comparison

SOURCE = (
    "def test_it():\n    clock.tick(10)\n    clock.wait(-3, 0, True, 'a')\n    till.read(2.5)\n"
)


def edited(comparison: Comparison) -> list[str]:
    edits = negated_edits(ast.parse(SOURCE).body[0], Pool(("read",), (), ()), [comparison])
    return [ast.unparse(edit.function) for edit in edits]


def test_where_a_guard_asks_for_less_than_nothing_each_number_is_made_negative() -> None:
    texts = edited(Comparison("shop.py", 3, "<", "1", "0", taken=False))
    assert "till.read(-2.5)" in texts[0]
    assert ["clock.tick(-10)" in text for text in texts].count(True) == 1
    assert len(texts) == 2  # neither nothing, nor a truth value, nor what is negative already


@pytest.mark.parametrize(
    "comparison",
    [
        Comparison("shop.py", 3, "<", "-1", "0", taken=True),
        Comparison("shop.py", 3, "<", "11", "10", taken=False),
        Comparison("shop.py", 3, "==", "1", "0", taken=False),
    ],
)
def test_other_guards_ask_for_nothing_negative(comparison: Comparison) -> None:
    assert edited(comparison) == []
