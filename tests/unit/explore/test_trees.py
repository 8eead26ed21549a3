from __future__ import annotations

import ast
import inspect
import json.decoder

import pytest

from pytest_aipipe.explore.trees import clone

TEXTS = (
    inspect.getsource(json.decoder),
    "{**a, 'b': 1, None: ...}\n",
    "def f(a, /, b=1, *c, d, e=None, **g):\n    global x\n    pass\n",
    "match x:\n    case {'a': 1, **rest} | [None, *_]:\n        pass\n",
    "async def f():\n    async with a as b: yield -1.5j\n",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_copy_is_equal_in_parts_and_places_and_shares_none_that_may_change(text: str) -> None:
    tree = ast.parse(text)
    made = clone(tree)
    assert ast.dump(made, include_attributes=True) == ast.dump(tree, include_attributes=True)
    assert not {id(n) for n in ast.walk(made)} & {id(n) for n in ast.walk(tree) if n.__dict__}
    assert ast.unparse(made) == ast.unparse(tree)


def test_a_change_of_the_copy_leaves_the_tree_as_it_is() -> None:
    tree = ast.parse("def f(a):\n    return [a, 1]\n")
    before = ast.dump(tree)
    made = clone(tree)
    made.body.append(ast.Pass())
    function = made.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.args.args.clear()
    function.name = "g"
    assert ast.dump(tree) == before
