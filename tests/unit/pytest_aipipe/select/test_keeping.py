from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_aipipe.select.keeping import kept


def told(text: str) -> set[str]:
    node = ast.parse(textwrap.dedent(text)).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return set(kept(node).calls)


@pytest.mark.parametrize(
    "body",
    [
        "if key not in self.known:\n self.known[key] = make(key)",
        "if self.one is None:\n self.one = make()",
        "if not hasattr(self, 'one'):\n self.one = make()",
        "return self.one or self.keep(make())\nif self.one: self.one = make()",
        "try:\n return KNOWN[key]\nexcept KeyError:\n KNOWN[key] = found = make(key)",
        "found = KNOWN.get(key)\nif found is None:\n found = make(key)\n KNOWN[key] = found",
        "return KNOWN.setdefault(key, make(key))",
        "if cls.one is None:\n cls.one = await make()",
        "if (one := self.one) is None:\n one = make()\n self.one = one",
    ],
)
def test_what_is_made_where_it_was_looked_for_is_kept(body: str) -> None:
    assert "make" in told(f"async def f(self, cls, key):\n{textwrap.indent(body, ' ')}\n")


@pytest.mark.parametrize(
    "body",
    [
        "self.one = make()",
        "if key:\n self.known[key] = make(key)",
        "if key not in self.known:\n self.known[key] = key",
        "known = {}\nif key not in known:\n known[key] = make(key)",
        "if key not in given:\n given[key] = make(key)",
        "if self.one is None:\n return make()",
    ],
)
def test_what_a_call_leaves_to_nobody_is_not(body: str) -> None:
    assert not told(f"def f(self, key, given):\n{textwrap.indent(body, ' ')}\n")
