"""What is known of bases from elsewhere: which methods of a class they may call."""

from __future__ import annotations

import builtins
import collections.abc
import unittest

PLAIN = frozenset(
    {"object", "ABC", "ABCMeta", "Generic", "Protocol", "metaclass"}
    | {name for name, one in vars(builtins).items() if isinstance(one, type)}
)
"""Bases that call no method of a class but the special ones."""

COMMON = frozenset(
    name for one in vars(builtins).values() if isinstance(one, type) for name in dir(one)
)
"""Attributes of built-in types: most of what is named so is no module's."""

TEST_CASES = frozenset({"TestCase", "IsolatedAsyncioTestCase"})
"""Bases that call tests by their names, and set-up by names that count as implicit."""


def lets_be(base: str, method: str) -> bool:
    """Whether a base from elsewhere calls no method of that name, whatever it is given."""
    if base in PLAIN:
        return True
    if base in TEST_CASES:  # what it calls of itself has a name that it has already
        return not hasattr(unittest.TestCase, method)
    one = getattr(collections.abc, base, None)
    if not isinstance(one, type):
        return False
    codes = [getattr(each, "__code__", None) for each in vars(one).values()]
    return not any(method in code.co_names for code in codes if code is not None)
