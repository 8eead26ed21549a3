from __future__ import annotations

from difflib import SequenceMatcher
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from aipipe_core.change import FileChange, Hunk, Kind
from pytest_aipipe.compare.places import places, same_behaviour

if TYPE_CHECKING:
    from pytest_aipipe.compare.model import Place

BASE = """
import os

LIMIT = 3


def area(w: int, h: int = 2) -> int:
    '''Say it.'''
    return w * h  # why


class Box:
    def one(self):
        return 1

    def two(self):
        if self.one():
            return 2
        return 3
"""


def found(base: str, head: str, status: str = "M") -> list[Place]:
    old, new = base.splitlines(), head.splitlines()
    hunks = tuple(
        Hunk(i1 + 1, j1 + 1, tuple(old[i1:i2]), tuple(new[j1:j2]))
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    )
    file = FileChange("pkg/m.py", status, frozenset({Kind.CODE}), hunks=hunks)
    return places([file], {"pkg/m.py": base}, {"pkg/m.py": head}, {"pkg/m.py": "pkg.m"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # why", ""),
        ("'''Say it.'''", "'''Say it well.'''"),
        ("w: int, h: int = 2) -> int:", "w, h=2):"),
        ("import os\n", "import os\n\n\n"),
        ("        return 1\n", "        return (\n            1\n        )\n"),
        ("import os\n", "from __future__ import annotations\n\nimport os\nimport typing as t\n"),
        (
            "import os\n",
            "import os\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import re\n",
        ),
        (
            "import os\n",
            "import os\n\nPair = dict[str, int]\nMaybe = int | None\nT = TypeVar('T')\n",
        ),
        ("class Box:", "class Box(Generic[T]):"),
        ("    def two(self):", "    @override\n    def two(self):"),
        ("        return 1\n", "        return cast(int, 1)\n"),
        ("    def one(self):", "    @overload\n    def one(self): ...\n\n    def one(self):"),
    ],
)
def test_comments_docstrings_annotations_and_layout_are_no_behaviour(old: str, new: str) -> None:
    head = BASE.replace(old, new)
    assert head != BASE
    assert same_behaviour(BASE, head)
    assert found(BASE, head) == []


def test_a_changed_method_is_a_place_with_its_lines_on_both_sides() -> None:
    (place,) = found(BASE, BASE.replace("return 3", "return 4"))
    assert (place.symbol, place.module) == ("Box.two", "pkg.m")
    assert place.base_lines == place.head_lines == {19}


def test_where_lines_are_only_removed_the_lines_next_to_them_stand_for_the_place() -> None:
    head = BASE.replace("        if self.one():\n            return 2\n", "")
    (place,) = found(BASE, head)
    assert place.symbol == "Box.two"
    assert place.base_lines == {17, 18}
    assert place.head_lines
    assert place.hunks[0].removed


def test_a_changed_constant_belongs_to_the_module() -> None:
    (place,) = found(BASE, BASE.replace("LIMIT = 3", "LIMIT = 4"))
    assert place.symbol == "<module>"


def test_another_definition_of_the_same_file_whose_code_is_the_same_is_no_place() -> None:
    head = BASE.replace("# why", "# because").replace("return 3", "return 4")
    assert [place.symbol for place in found(BASE, head)] == ["Box.two"]


def test_a_file_without_a_base_is_not_compared() -> None:
    file = FileChange("pkg/m.py", "A", frozenset({Kind.CODE}))
    assert places([file], {}, {"pkg/m.py": BASE}, {"pkg/m.py": "pkg.m"}) == []


def test_code_that_does_not_parse_is_not_taken_for_the_same() -> None:
    assert not same_behaviour(BASE, BASE + dedent("\n    def broken(:\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = A | B"),
        ("LIMIT = 3", "LIMIT = Color['RED']"),
        ("LIMIT = 3", "LIMIT = list[0]"),
        ("import os", "import re"),
        ("class Box:", "class Box(dict):"),
        ("    def one(self):", "    @cached\n    def one(self):"),
    ],
)
def test_what_only_looks_like_typing_is_behaviour(old: str, new: str) -> None:
    assert not same_behaviour(BASE, BASE.replace(old, new))


def test_the_order_of_imports_is_no_behaviour() -> None:
    assert same_behaviour("import os\nimport re, sys\n", "import re\nimport os\nimport sys\n")


def test_a_setter_is_told_apart_from_its_getter() -> None:
    text = """
    class Box:
        @property
        def size(self):
            return self._size

        @size.setter
        def size(self, value):
            self._size = value
    """
    base = dedent(text)
    (place,) = found(base, base.replace("= value", "= value + 1"))
    assert place.symbol == "Box.size"


def test_the_module_is_no_place_for_a_comment_beside_a_changed_function() -> None:
    head = BASE.replace("import os", "import os  # why").replace("return 3", "return 4")
    assert [place.symbol for place in found(BASE, head)] == ["Box.two"]


def test_what_only_the_head_has_is_no_place_and_what_it_lost_is() -> None:
    more = BASE + "\n\ndef more():\n    return 1\n"
    assert found(BASE, more) == []
    (place,) = found(more, BASE)
    assert place.symbol == "<module>"


def test_a_method_that_is_gone_belongs_to_its_class_and_what_is_gone_makes_one_place() -> None:
    head = BASE[: BASE.index("    def one")] + "    pass\n"
    (place,) = found(BASE, head)
    assert place.symbol == "Box"
    assert {13, 14, 16, 17, 18, 19} <= place.base_lines
