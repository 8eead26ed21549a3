from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.explore.lessen import lessened

if TYPE_CHECKING:
    from pytest_aipipe.explore.variation import FunctionNode


def function(source: str) -> FunctionNode:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_statements_that_are_not_needed_go() -> None:
    made = lessened(
        function("def test():\n    a = 1\n    b = 2\n    act(a)\n"),
        lambda one: "act(a)" in ast.unparse(one) and "a = 1" in ast.unparse(one),
    )
    assert ast.unparse(made) == "def test():\n    a = 1\n    act(a)"


def test_a_text_is_cut_to_the_pieces_that_matter() -> None:
    made = lessened(
        function("def test():\n    act('one two\\n[three] four\\nfive\\n')\n"),
        lambda one: "[three]" in ast.unparse(one),
    )
    assert ast.unparse(made) == "def test():\n    act('[three]')"


def test_what_cannot_be_repeated_stays_whole() -> None:
    whole = function("def test():\n    a = 1\n    act('text')\n")
    assert lessened(whole, lambda _: False) is whole


def test_the_given_function_is_left_as_it_is() -> None:
    whole = function("def test():\n    a = 1\n    act('text')\n")
    before = ast.dump(whole)
    lessened(whole, lambda _: True)
    assert ast.dump(whole) == before
