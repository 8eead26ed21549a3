from __future__ import annotations

import pytest

from pytest_aipipe.select.mentions import OWN, STAR, read_mentions

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
