"""What only the standard library makes is made by it."""

from __future__ import annotations

from typing import Any

from pytest_aipipe.engines.analysis.module import view
from pytest_aipipe.engines.analysis.shapes import Shape
from pytest_aipipe.engines.source.known import matches, used_like

PARAMETERS = """
    import inspect

    def kinds(sig):
        found = set()
        for one in sig.parameters.values():
            if one.kind == one.VAR_KEYWORD:
                found.add('any name')
            elif one.kind == one.POSITIONAL_ONLY:
                found.add('no name')
        return found
    """


def test_what_has_parameters_is_a_signature_with_all_kinds_of_them(world: Any) -> None:
    here = world(PARAMETERS)
    here.close("kinds", "'any name'", "'no name'")
    assert "inspect.signature(lambda" in here.tried[-1].function


def test_what_is_asked_for_its_groups_is_a_match_of_a_pattern_of_the_module(world: Any) -> None:
    here = world(
        """
        import re
        from re import Match

        WORD = re.compile(r'(?P<word>[a-z]+)!')

        def last(found: Match[str]):
            if found.group('word').islower():
                return found.end()
            return 0
        """
    )
    here.close("last", "return found.end()")
    assert "re.search('(?P<word>[a-z]+)!', " in here.tried[-1].function


def _shape(*called: str, plain: tuple[str, ...] = ()) -> Shape:
    shape = Shape()
    for name in called:
        shape.attribute(name).called(0)
    for name in plain:
        shape.attribute(name)
    return shape


def test_numbers_that_are_only_called_like_a_match_are_none() -> None:
    assert "re.search" in used_like(_shape("start", "end"))[0].expr
    assert used_like(_shape(plain=("start", "end"))) == []
    assert used_like(_shape("start", "finish")) == []
    assert used_like(Shape()) == []


def test_the_patterns_of_a_module_are_those_that_it_searches_with_or_calls_so() -> None:
    module = view(
        "shop.py",
        "shop",
        "import re\n"
        "WORD_PATTERN = '[a-c]+'\n"
        "NAME = 'x+'\n"
        "BROKEN_RE = '('\n"
        "def f(x):\n"
        "    return re.match('b{2}', x) or x.match('no') or re.escape('c')\n",
    )
    assert module is not None
    assert [eval(one.expr, {"re": __import__("re")}).group() for one in matches(module)] == [
        "a",
        "bb",
    ]
