"""What a linked file asks for, read from its own bytes."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aipipe_build.image.elf import is_elf, needed

if TYPE_CHECKING:
    from collections.abc import Iterable


def elf(names: Iterable[str]) -> bytes:
    """Return the smallest file that asks for libraries of these names."""
    strings, offsets = b"\0", []
    for name in names:
        offsets.append(len(strings))
        strings += name.encode() + b"\0"
    head, entry = 64, 56
    at = head + 2 * entry
    base = 0x1000
    rows = [(1, offset) for offset in offsets]
    dynamic_size = 16 * (len(rows) + 2)
    rows += [(5, base + at + dynamic_size), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *row) for row in rows)
    total = at + dynamic_size + len(strings)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, base, base, total, total, 0x1000)
    table = struct.pack("<IIQQQQQQ", 2, 4, at, base + at, base + at, dynamic_size, dynamic_size, 8)
    start = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    start += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, head, 0, 0, head, entry, 2, 0, 0, 0)
    return start + load + table + dynamic + strings


def test_every_library_that_is_asked_for_is_named_in_order() -> None:
    assert needed(elf(["libpq.so.5", "libc.so.6"])) == ("libpq.so.5", "libc.so.6")


def test_a_file_that_asks_for_nothing_names_nothing() -> None:
    assert needed(elf([])) == ()


@pytest.mark.parametrize("keep", [0, 4, 20, 63, 100, 180, 230])
def test_a_file_that_is_cut_names_nothing(keep: int) -> None:
    assert needed(elf(["libpq.so.5"])[:keep]) == ()


def test_other_files_are_not_read() -> None:
    assert not is_elf(b"#!/bin/sh\n")
    assert needed(b"#!/bin/sh\necho\n" * 40) == ()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems link otherwise")
def test_a_real_program_asks_for_the_c_library() -> None:
    data = Path(sys.executable).resolve().read_bytes()
    if is_elf(data):
        assert any(name.startswith(("libc.", "libc-", "libpython")) for name in needed(data))
