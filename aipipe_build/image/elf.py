"""Which shared libraries a program or a library asks the linker for.

ELF as the System V ABI has it (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html),
little-endian and 64 bit: what images for today's machines hold. Others are not read.
"""

from __future__ import annotations

import struct

_HEAD = b"\x7fELF\x02\x01"
_LOAD, _DYNAMIC = 1, 2
_END, _NEEDED, _STRINGS = 0, 1, 5


def is_elf(start: bytes) -> bool:
    """Tell whether a file that begins like this is one that :func:`needed` can read."""
    return start.startswith(_HEAD)


def needed(data: bytes) -> tuple[str, ...]:
    """Return the names behind DT_NEEDED, as written; () for a file that has none or is cut."""
    try:
        return _needed(data) if is_elf(data) else ()
    except (struct.error, ValueError):
        return ()


def _needed(data: bytes) -> tuple[str, ...]:
    loads: list[tuple[int, int, int]] = []
    dynamic = (0, 0)
    (table,) = struct.unpack_from("<Q", data, 0x20)
    width, count = struct.unpack_from("<HH", data, 0x36)
    for at in range(table, table + width * count, width or 1):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == _LOAD:
            loads.append((address, offset, size))
        elif kind == _DYNAMIC:
            dynamic = (offset, size)
    names: list[int] = []
    strings = 0
    for at in range(dynamic[0], dynamic[0] + dynamic[1], 16):
        tag, value = struct.unpack_from("<QQ", data, at)
        if tag == _END:
            break
        if tag == _NEEDED:
            names.append(value)
        elif tag == _STRINGS:
            strings = value
    start = next((o + strings - a for a, o, size in loads if a <= strings < a + size), -1)
    return tuple(_text(data, start + name) for name in names) if start >= 0 else ()


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode("utf-8", "replace")
