"""A change in pieces: whole functions, packed, none above its bound."""

from __future__ import annotations

from pathlib import Path

from aipipe_core.change.model import Change, FileChange, Hunk, Symbol
from aipipe_core.llm.chunks import chunks_of
from aipipe_core.llm.tokens import bound

SOURCE = """\
import os


class Box:
    size = 3

    def put(self, thing):
        if thing is None:
            return 0
        return self.size

    def take(self):
        return self.size - 1


LIMIT = 9
"""


def change(*hunks: Hunk, path: str = "box.py", status: str = "M") -> Change:
    symbols = (
        Symbol("Box.put", "function", 7, 10),
        Symbol("Box.take", "function", 12, 13),
        Symbol("Box", "class", 4, 13),
    )
    file = FileChange(path, status, frozenset(), hunks=hunks, symbols=symbols)
    return Change(Path("/x"), "a", "b", (file,))


PUT = Hunk(7, 8, ("        if not thing:",), ("        if thing is None:",))
TAKE = Hunk(13, 13, (), ("        return self.size - 1",))
BODY = Hunk(15, 16, ("LIMIT = 8",), ("LIMIT = 9",))


def test_a_changed_function_is_shown_whole_with_its_class_and_what_was_removed() -> None:
    (chunk,) = chunks_of(change(PUT), {"box.py": SOURCE}, most=1000)
    assert chunk.labels == ("box.py::Box.put",)
    assert chunk.text == (
        "box.py::Box.put\n   4   class Box:\n   7       def put(self, thing):\n"
        "     -         if not thing:\n   8 +         if thing is None:\n"
        "   9               return 0\n  10           return self.size\n"
    )


def test_small_pieces_are_packed_and_each_pack_keeps_to_its_bound() -> None:
    whole = chunks_of(change(PUT, TAKE, BODY), {"box.py": SOURCE}, most=1000)
    assert [len(one.labels) for one in whole] == [3]
    apart = chunks_of(change(PUT, TAKE, BODY), {"box.py": SOURCE}, most=whole[0].size - 1)
    assert len(apart) == 2
    assert all(one.size <= whole[0].size - 1 for one in apart)
    assert [label for one in apart for label in one.labels] == list(whole[0].labels)


def test_a_function_that_fits_nowhere_is_never_cut_in_two() -> None:
    body = "\n".join(f"    x{n} = {n}" for n in range(400))
    source = f"def long():\n{body}\n    return 1\n"
    hunk = Hunk(200, 200, (), ("    x198 = 198",))
    file = FileChange(
        "a.py", "M", frozenset(), hunks=(hunk,), symbols=(Symbol("long", "function", 1, 402),)
    )
    (chunk,) = chunks_of(Change(Path("/x"), "a", "b", (file,)), {"a.py": source}, most=200)
    assert chunk.shortened == ("a.py::long",)
    assert chunk.text.splitlines()[1:] == ["   1   def long():", " 200 +     x198 = 198"]
    assert bound(chunk.text) <= 200


def test_what_is_no_python_goes_by_hunk_and_is_cut_where_it_must_be() -> None:
    lines = tuple(f"line number {n} of many" for n in range(500))
    (chunk,) = chunks_of(change(Hunk(1, 1, (), lines), path="a.txt"), {}, most=300)
    assert bound(chunk.text) <= 300
    assert "more changed lines are not shown" in chunk.text


def test_a_deleted_file_is_one_line() -> None:
    (chunk,) = chunks_of(change(PUT, status="D"), {}, most=300)
    assert chunk.text == "box.py: deleted, nothing to show\n"
