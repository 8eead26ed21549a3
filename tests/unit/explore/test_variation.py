from __future__ import annotations

import ast
from random import Random
from typing import Any

import pytest

from pytest_aipipe.explore.variation import FunctionNode, Material, Variation

MESSAGE: dict[str, Any] = {
    "texts": ["[one]\nkey = 1\n", "[two]\n"],
    "tokens": ["WHILE"],
    "literals": ["'solved'", "not valid("],
    "statements": ["doc['a']['b'] = {}", "doc.close()", "broken("],
    "keywords": [("strict", "True"), ("bad", ")")],
    "methods": ["clear"],
}
SOURCE = "def test():\n    text = 'a b'\n    doc = parse(text, 3)\n    doc.read()\n"


def function(source: str = SOURCE) -> FunctionNode:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def variations(count: int, seed: int = 0) -> list[str]:
    variation = Variation(Material.read(MESSAGE), Random(seed), {"parse": None})
    return [ast.unparse(variation.of(function())) for _ in range(count)]


def test_every_variation_is_valid_python() -> None:
    for text in variations(400):
        compile(text, "variation", "exec")


def test_the_same_seed_gives_the_same_variations() -> None:
    assert variations(50, seed=3) == variations(50, seed=3)
    assert variations(50, seed=3) != variations(50, seed=4)


@pytest.mark.parametrize(
    "part", ["WHILE", "[one]", "{}", ".close()", "strict=True", ".clear", "'solved'", "2"]
)
def test_each_kind_of_material_is_used(part: str) -> None:
    assert any(part in text for text in variations(1500))


def test_a_statement_of_another_test_gets_an_object_of_this_one() -> None:
    message = MESSAGE | {"statements": ["other.flush()"]}
    variation = Variation(Material.read(message), Random(1), {"parse": None})
    made = [ast.unparse(variation.of(function())) for _ in range(300)]
    assert any("doc.flush()" in text for text in made)
    assert not any("other.flush()" in text for text in made)


def test_an_operand_that_a_guard_met_is_replaced_by_the_other() -> None:
    material = Material.read(MESSAGE)
    material.pairs.append((3, 77))
    variation = Variation(material, Random(0), {"parse": None})
    assert any("parse(text, 77)" in ast.unparse(variation.of(function())) for _ in range(300))


def test_what_cannot_be_parsed_is_no_material() -> None:
    material = Material.read(MESSAGE)
    assert [name for name, _ in material.keywords] == ["strict"]
    assert len(material.statements) == 2
