from __future__ import annotations

import ast

from pytest_aipipe.engines.source.edits import Pool
from pytest_aipipe.engines.techniques.search import operand_edits
from pytest_aipipe.generate.model import Comparison


def edited(
    source: str, left: str, right: str, operator: str = "==", near: tuple[str, ...] = ()
) -> list[str]:
    function = ast.parse(source).body[0]
    seen = [Comparison("shop.py", 1, operator, left, right, taken=False)]
    return [ast.unparse(one.function) for one in operand_edits(function, Pool((), (), near), seen)]


def test_a_text_is_found_in_the_test_whichever_quotes_it_is_noted_with() -> None:
    made = edited("def test_a():\n    order('plain')", '"plain"', '"express"')
    assert made[0] == "def test_a():\n    order('express')"


def test_a_member_of_the_container_takes_the_place_and_not_the_container() -> None:
    made = edited("def test_a():\n    order('plain')", '"plain"', 'frozenset({"air", "sea"})', "in")
    assert made == ["def test_a():\n    order('air')", "def test_a():\n    order('sea')"]


def test_an_operand_is_exchanged_where_it_stands_in_a_longer_text() -> None:
    made = edited(
        "def test_a():\n    order('red_hat {big_hat}')", '"_"', '"big_hat"', "in", ("'_'", "'-'")
    )
    assert "def test_a():\n    order('red_hat {big-hat}')" in made
    assert "def test_a():\n    order('red_hat {bighat}')" in made
