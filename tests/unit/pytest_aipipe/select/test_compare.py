from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.select.compare import compare

if TYPE_CHECKING:
    from pytest_aipipe.select.impact import Impact

SOURCE = textwrap.dedent('''\
    """Text."""
    import re
    LIMIT = 1
    def first(a, b=2):
        """Doc."""
        if a:
            one = 1
            return one
        try:
            two = int(a)
        except ValueError:
            return 0
        return two + LIMIT
    class Box:
        size = 1
        def grow(self):
            return self.size
        def __init__(self, size):
            self.size = size
    ''')


def turned(old: str, new: str) -> Impact:
    changed = SOURCE.replace(old, new)
    assert changed != SOURCE
    return compare(SOURCE.encode(), changed.encode())


def only(impact: Impact, **expected: Any) -> bool:
    empty: dict[str, Any] = {
        "lines": set(),
        "entries": set(),
        "names": set(),
        "added": set(),
        "signed": {},
        "described": set(),
        "annotated": set(),
        "methods": set(),
        "values": set(),
    }
    found = {name: getattr(impact, name) for name in empty}
    return found == {**empty, **expected} and not impact.whole and not impact.hooks


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("one = 1", "one = 2", {7}),
        ("    return two + LIMIT", "    two += 1\n    return two + LIMIT", {13}),
        ("        return one\n", "        return one\n    elif b:\n        return 9\n", {6}),
        ("        two = int(a)\n", "        two = int(a)\n        two += 1\n", {10}),
        ("except ValueError", "except KeyError", {11}),
        ("if a:", "if a and b:", {6}),
        ("return self.size", "return 1", {17}),
        ("    try:", "    if b:\n        return 3\n    try:", {9}),
    ],
)
def test_a_change_in_a_function_concerns_who_ran_the_statement_or_came_to_its_place(
    old: str, new: str, lines: set[int]
) -> None:
    assert only(turned(old, new), lines=lines)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("one = 1", "one = (  # why\n            1)"),
        ("import re\n", "import re  # noqa\n\n\n"),
        ("    def grow(self):", "\n    # a word\n    def grow(self):"),
        ("LIMIT = 1", "LIMIT = (1)"),
    ],
)
def test_layout_and_comments_mean_nothing(old: str, new: str) -> None:
    assert turned(old, new).is_empty


def test_a_function_that_only_moved_means_nothing() -> None:
    assert compare(b"def a(): pass\ndef b(): pass\n", b"def b(): pass\ndef a(): pass\n").is_empty


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = 1", "LIMIT = 2", {"names": {"LIMIT"}}),
        ("size = 1", "size = 2", {"values": {("Box", "size")}}),
        ("size = 1", "size = grow()", {"names": {"Box"}}),
        ("size = 1", "__slots__ = ()", {"names": {"Box"}, "values": {("Box", "size")}}),
        ("grow(self)", "grow(self) -> int", {"annotated": {"Box"}}),
        (
            "size = 1",
            'size = 1\n    @property\n    def big(self):\n        """Big."""',
            {"methods": {("Box", "big")}},
        ),
        ("a, b=2", "a: int, b: int = 2", {"annotated": {"first"}}),
        ("a, b=2", "a: make(), b=2", {"signed": {"first": set()}, "entries": {4}}),
        ("a, b=2", "a: int, b=3", {"signed": {"first": set()}, "entries": {4}}),
        ("b=2", "b=3", {"signed": {"first": set()}, "entries": {4}}),
        ("import re", "import re, os", {"added": {"os"}}),
        ("import re", "import os as re", {"names": {"re"}}),
        ("class Box:", "class Box(dict):", {"names": {"Box"}}),
        ("def grow(self)", "def grow(self, by=1)", {"entries": {16}, "methods": {("Box", "grow")}}),
        (
            "__init__(self, size)",
            "__init__(self, size=1)",
            {"signed": {"Box": {""}}, "entries": {18}},
        ),
        ("def first(", "async def first(", {"names": {"first"}, "entries": {4}}),
        ("def first(", "@deco\ndef first(", {"names": {"first"}, "entries": {4}}),
        ("    size = 1", "    size = 1\n    def lose(self): pass", {"methods": {("Box", "lose")}}),
        ("    size = 1", "    size = 1\n    def __eq__(self, o): pass", {"names": {"Box"}}),
        ("LIMIT = 1", "LIMIT = 1\ndef more(): pass", {"added": {"more"}}),
        ("    size = 1", '    """A box."""\n    size = 1', {"described": {"Box"}}),
        ('"""Doc."""', '"""Another."""', {"described": {"first"}}),
        ('"""Text."""', '"""Other."""', {"names": {"__doc__"}}),
    ],
)
def test_what_runs_at_import_is_told_by_the_names_that_may_differ(
    old: str, new: str, expected: dict[str, Any]
) -> None:
    assert only(turned(old, new), **expected)


@pytest.mark.parametrize(("decorator", "told"), [("property", "described"), ("shown", "names")])
def test_the_text_of_what_is_only_called_is_read_as_any_text(decorator: str, told: str) -> None:
    text = (
        f'class Box:\n    @{decorator}\n    def big(self):\n        """Big."""\n        return 1\n'
    )
    impact = compare(text.encode(), text.replace("Big.", "Bigger.").encode())
    assert only(impact, **{told: {"Box"}})


def test_an_assignment_that_makes_a_name_local_concerns_all_who_enter_the_function() -> None:
    impact = turned("        return 0\n", "        LIMIT = 0\n        return LIMIT\n")
    assert impact.entries == {4}


def test_a_local_name_that_goes_with_all_its_uses_concerns_who_ran_those() -> None:
    impact = turned("        one = 1\n        return one\n", "        return 1\n")
    assert not impact.entries
    assert impact.lines == {7, 8}


def test_a_function_that_becomes_a_generator_concerns_all_who_enter_it() -> None:
    assert turned("        return 0\n", "        yield 0\n").entries == {4}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("LIMIT = 1", "LIMIT = 1\nprint(LIMIT)", "for its effect"),
        ("LIMIT = 1", "LIMIT = 1\nif LIMIT:\n    raise ImportError", "for its effect"),
        ("LIMIT = 1", "LIMIT = 1\nassert LIMIT", "for its effect"),
        ("import re", "from __future__ import barry_as_FLUFL\nimport re", "__future__"),
        ("LIMIT = 1", "LIMIT = (", "cannot be read"),
        ("LIMIT = 1", "LIMIT = 1\ndef __getattr__(name): ...", "does not bind"),
    ],
)
def test_what_no_name_can_tell_is_left_to_the_import_graph(old: str, new: str, why: str) -> None:
    assert why in turned(old, new).whole


def test_code_for_type_checkers_and_scripts_is_no_change_for_a_test() -> None:
    old = b"if TYPE_CHECKING:\n    import a\nif __name__ == '__main__':\n    run()\n"
    new = b"if TYPE_CHECKING:\n    import b\nif __name__ == '__main__':\n    run(1)\n"
    assert compare(old, new).is_empty


def test_a_changed_hook_of_pytest_is_named() -> None:
    old = b"def pytest_configure(config):\n    a = 1\n"
    assert compare(old, old.replace(b"1", b"2")).hooks == {"pytest_configure"}


def test_a_new_first_statement_of_an_empty_function_concerns_who_enters_it() -> None:
    impact = compare(b"def f():\n    pass\n", b"def f():\n    g()\n    pass\n")
    assert impact.entries == {1}


def test_handlers_and_cases_are_compared_one_by_one() -> None:
    old = b"def f(a):\n    match a:\n        case 1:\n            x = 1\n        case 2:\n            x = 2\n"
    assert compare(old, old.replace(b"x = 2", b"x = 3")).lines == {6}
    assert compare(old, old.replace(b"case 2", b"case 4")).lines == {5}


def future(name: str, source: str = SOURCE) -> str:
    return source.replace("import re", f"from __future__ import {name}\nimport re")


def test_a_feature_that_the_language_has_anyway_is_a_name_like_others() -> None:
    impact = compare(SOURCE.encode(), future("division, print_function").encode())
    assert only(impact, added={"division", "print_function"})


def test_annotations_that_are_kept_as_text_concern_who_has_what_is_annotated_in_hand() -> None:
    source = (
        "import re\ndef plain(a: int): ...\n@cache\ndef decorated() -> int: ...\n"
        "class Box:\n    size: int = 1\nclass Bare:\n    def f(self): ...\n"
        "def outer():\n    def inner(a: str):\n        return a\n    return inner\n"
    )
    impact = compare(source.encode(), future("annotations", source).encode())
    assert only(impact, lines={10}, names={"Box"}, added={"annotations"})
    assert impact.handed == {"plain", "decorated"}


def test_annotations_that_are_evaluated_again_may_fail_wherever_the_file_is_loaded() -> None:
    new, old = SOURCE.encode(), future("annotations").encode()
    assert "__future__" in compare(old, new).whole
    assert not compare(old, new, past=True).whole


@pytest.mark.parametrize(
    "text",
    [
        "def f(a: made(1)): ...",
        "@register\ndef f(a: int): ...",
        "class A(Model):\n    a: int",
        "class A(metaclass=Seeing):\n    def f(self) -> int: ...",
        "@define\nclass A:\n    a: int",
    ],
)
def test_annotations_that_something_may_evaluate_at_import_are_left_to_the_import_graph(
    text: str,
) -> None:
    source = f"import re\n{text}\n"
    assert "annotations" in compare(source.encode(), future("annotations", source).encode()).whole


def test_a_new_test_of_a_class_changes_none_of_the_others_whatever_marks_it() -> None:
    marked = "    @pytest.mark.parametrize('a', [1])\n    def test_new(self, a): ...\n"
    assert only(turned("    size = 1\n", f"    size = 1\n{marked}"), methods={("Box", "test_new")})
    seen = marked.replace("pytest.mark.parametrize('a', [1])", "patch('a')")
    assert only(turned("    size = 1\n", f"    size = 1\n{seen}"), names={"Box"})


def test_what_a_comprehension_counts_with_is_no_name_of_the_module() -> None:
    old, new = b"A = {c: 1 for c in B}\n", b"A = {c: 2 for c in B}\n"
    assert only(compare(old, new), names={"A"})
    old, new = b"A = [last := c for c in B]\n", b"A = [last := -c for c in B]\n"
    assert only(compare(old, new), names={"A", "last"})
