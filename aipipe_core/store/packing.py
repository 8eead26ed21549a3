"""Values as bytes: JSON or raw, lines as a bitmap, arcs as small differences."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_JSON, _BYTES, _SQUEEZED = 0, 1, 2
_WORTH_SQUEEZING = 1024


def pack(value: Any) -> tuple[int, bytes]:
    """Return the form and the bytes of ``value``: bytes, or anything that JSON can hold."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        form, data = _BYTES, bytes(value)
    else:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        form, data = _JSON, text.encode("ascii")
    if len(data) >= _WORTH_SQUEEZING:
        squeezed = zlib.compress(data, 1)
        if len(squeezed) < len(data):
            return form | _SQUEEZED, squeezed
    return form, data


def unpack(form: int, data: bytes) -> Any:
    """Return the value that ``pack`` made these from."""
    plain = zlib.decompress(data) if form & _SQUEEZED else bytes(data)
    return plain if form & _BYTES else json.loads(plain)


def to_bytes(text: str) -> bytes:
    """Return any text as bytes, also what no encoding takes."""
    return text.encode("utf-8", "surrogatepass")


def to_text(data: bytes) -> str:
    """Return the text that ``to_bytes`` made these from."""
    return bytes(data).decode("utf-8", "surrogatepass")


def mark(text: bytes) -> bytes:
    """Return the 16 bytes by which a text is found."""
    return hashlib.blake2b(text, digest_size=16).digest()


def pack_lines(lines: Iterable[int]) -> bytes:
    """Return line numbers as a bitmap (bit N of the whole is line N), as coverage.py has it."""
    numbers = list(lines)
    if not numbers:
        return b""
    bitmap = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        bitmap[number // 8] |= 1 << number % 8
    return bytes(bitmap)


def unpack_lines(data: bytes) -> frozenset[int]:
    """Return the line numbers of a bitmap."""
    found = (
        index * 8 + bit
        for index, byte in enumerate(bytes(data))
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )
    return frozenset(found)


def pack_arcs(arcs: Iterable[tuple[int, int]]) -> bytes:
    """Return arcs as differences of seven bits a byte; lines may be negative."""
    out, before = bytearray(), 0
    for start, end in sorted(arcs):
        for difference in (start - before, end - start):
            folded = difference << 1 if difference >= 0 else (-difference << 1) - 1
            while folded > 0x7F:  # noqa: PLR2004
                out.append(folded & 0x7F | 0x80)
                folded >>= 7
            out.append(folded)
        before = start
    return bytes(out)


def unpack_arcs(data: bytes) -> frozenset[tuple[int, int]]:
    """Return the arcs that ``pack_arcs`` made these from."""
    numbers = _numbers(bytes(data))
    found, before = set(), 0
    for step in numbers:
        start = before + step
        found.add((start, start + next(numbers)))
        before = start
    return frozenset(found)


def _numbers(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield value >> 1 if not value & 1 else -(value + 1 >> 1)
            value = shift = 0
