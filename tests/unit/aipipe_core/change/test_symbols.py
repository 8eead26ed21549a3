"""Symbols of Python source, and the numbering of lines."""

from __future__ import annotations

import ast
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipipe_core.change.hunks import hunks_of, lines_of
from aipipe_core.change.model import Hunk
from aipipe_core.change.symbols import (
    UnreadableSourceError,
    encoding_of,
    holding,
    symbols_of,
    text_of,
)


def names(source: str, *lines: int) -> set[str]:
    return {symbol.qualname for symbol in holding(symbols_of(source.encode()), lines)}


def test_definitions_under_conditions_and_in_handlers_are_found() -> None:
    source = (
        "if True:\n    def f(): pass\nelse:\n    def f(): pass\n"
        "try:\n    class A: pass\nexcept OSError:\n    def g(): pass\n"
        "match 1:\n    case 1:\n        def h(): pass\nwith open('x'):\n    def i(): pass\n"
    )
    found = [symbol.qualname for symbol in symbols_of(source.encode())]
    assert found == ["<module>", "f", "f", "A", "g", "h", "i"]


def test_a_line_between_two_functions_belongs_to_the_module() -> None:
    source = "def f():\n    pass\n\nx = 1\n\ndef g():\n    pass\n"
    assert names(source, 4) == {"<module>"}
    assert names(source, 1, 7) == {"f", "g"}
    assert names(source, 2, 4) == {"f", "<module>"}
    assert names(source) == set()


def test_the_module_of_an_empty_file_has_one_line() -> None:
    (module,) = symbols_of(b"")
    assert (module.qualname, module.start, module.end) == ("<module>", 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"def f(:\n",
        b"x = '\n",
        b"# coding: nope\n",
        b"\xff\xfe\n",
        b"x = '\xe9'\n",
        b"x\0\n",
        b"\xef\xbb\xbf# coding: latin-1\nx = 1\n",
        b"  x = 1\n y = 2\n",
        b"(" * 5000,
    ],
)
def test_source_that_python_refuses_is_unreadable_and_says_why(content: bytes) -> None:
    with pytest.raises(UnreadableSourceError, match=r"\w"):
        symbols_of(content)


def test_deep_nesting_ends_in_an_answer() -> None:
    source = ("x = " + "-" * 50_000 + "1\n").encode()
    with suppress(UnreadableSourceError):  # which answer depends on the interpreter's version
        assert symbols_of(source)[0].end == 1


def test_encodings_are_those_of_python() -> None:
    assert encoding_of(b"x = 1\n") == "utf-8"
    assert encoding_of(b"\xef\xbb\xbfx = 1\n") == "utf-8-sig"
    assert encoding_of(b"#!/x\n# vim: set fileencoding=cp1252 :\n") == "cp1252"
    assert (
        text_of("# coding: cp1251\r\ns = 'ж'\r".encode("cp1251")) == "# coding: cp1251\ns = 'ж'\n"
    )


PIECES = st.lists(
    st.sampled_from(["x = 1", "\n", "\r", "\r\n", "\f", "# \x1c\x85\u2028\v", "\n\n"]), max_size=12
)


@given(PIECES)
def test_lines_are_counted_as_the_tokenizer_counts_them(pieces: list[str]) -> None:
    text = "".join(pieces) + "\nlast = 1\n"
    try:
        tree = ast.parse(text.encode())
    except SyntaxError:
        return
    assert len(lines_of(text)) == tree.body[-1].lineno
    assert lines_of(text)[-1] == "last = 1"


def test_a_section_that_unidiff_refuses_is_read_by_hand() -> None:
    patch = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1 @@\n-a\n+b\n@@ -20 +20 @@\n-c\n+d\n"
    assert hunks_of(patch) == (Hunk(1, 1, ("a",), ("b",)), Hunk(20, 20, ("c",), ("d",)))


def test_a_section_without_hunks_has_none() -> None:
    assert hunks_of(b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n") == ()


def test_numbers_of_both_sides_follow_from_a_hunk() -> None:
    hunk = Hunk(3, 4, ("a", "b"), ("c",))
    assert (list(hunk.old_lines), list(hunk.new_lines)) == ([3, 4], [4])
    assert re.fullmatch(r"\w", hunk.added[0])
