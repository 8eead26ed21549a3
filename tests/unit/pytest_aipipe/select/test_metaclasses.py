from __future__ import annotations

import pytest

from pytest_aipipe.select.mentions import OWN, STAR
from pytest_aipipe.select.reader import read_mentions

META = """\
import inspect
def _parts(klass, ordered=False):
    return [part.__dict__ for part in inspect.getmro(klass)[1:]]
class Meta(type):
    def __new__(mcs, name, bases, attrs):
        for base in bases:
            vars(base)
        klass = super().__new__(mcs, name, bases, attrs)
        klass.opts = _parts(klass)
        return klass
    def hooks(cls):
        for name in dir(cls):
            for parent in cls.__mro__:
                parent.__dict__[name]
"""


def own(text: str) -> set[int]:
    """The lines that only look through what a metaclass makes."""
    found = read_mentions(text.encode())
    lines = {line for some in found.lines.get(STAR, {}).values() for line in some}
    own = {line for some in found.lines.get(OWN, {}).values() for line in some}
    assert own <= lines
    return own


def test_a_metaclass_looks_through_what_it_makes_and_its_bases() -> None:
    assert own(META) == {3, 7, 12, 14}


@pytest.mark.parametrize(
    ("looking", "inside"),
    [
        ("vars(self)", True),
        ("self.__dict__", True),
        ("self.__dict__ | vars(self)", True),
        ("other.__dict__.setdefault('a', 1)", True),
        ("other.__dict__.get('a', 1)", False),
        ("other.__dict__['a']", False),
        ("dir(self)", False),
        ("type(self).__dict__", False),
        ("vars(other)", False),
        ("vars(self) | vars(other)", False),
    ],
)
def test_an_object_has_nothing_of_its_class_for_its_own(looking: str, *, inside: bool) -> None:
    assert own(f"class A:\n    def all(self, other):\n        return {looking}\n") == (
        {3} if inside else set()
    )


def test_what_is_put_into_an_object_is_its_own() -> None:
    text = "def put(one):\n    one.__dict__['a'] = 1\n    del one.__dict__['a']\n    one.__dict__ = {}\n"
    assert own(text) == {2, 3, 4}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("vars(base)", "vars(attrs)", 7),
        ("vars(base)", "list(map(vars, bases))", 7),
        ("vars(base)", "vars(base), vars(name)", 7),
        ("for base in bases:", "for base in [*bases, mcs.other]:", 7),
        ("class Meta(type)", "class Meta(Base)", 12),
        (
            "        for name in dir(cls):",
            "        cls = other()\n        for name in dir(cls):",
            13,
        ),
        ("_parts(klass)\n", "_parts(klass)\n        _parts(attrs)\n", 3),
        ("class Meta", "KEPT = _parts\nclass Meta", 3),
        ("def _parts", "def parts", 3),
    ],
)
def test_what_else_it_looks_through_may_be_anything(old: str, new: str, line: int) -> None:
    text = META.replace(old, new).replace("_parts", "parts" if "def parts" in new else "_parts")
    assert text != META
    assert line not in own(text)
