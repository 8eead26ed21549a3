from __future__ import annotations

from coverage.numbits import nums_to_numbits
from hypothesis import given
from hypothesis import strategies as st

from aipipe_core.store.packing import (
    mark,
    pack,
    pack_arcs,
    pack_lines,
    to_bytes,
    to_text,
    unpack,
    unpack_arcs,
    unpack_lines,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_values_survive_packing(value: object) -> None:
    assert unpack(*pack(value)) == value


@given(st.binary(max_size=5000))
def test_bytes_survive_packing(value: bytes) -> None:
    assert unpack(*pack(value)) == value


def test_long_values_are_squeezed() -> None:
    assert len(pack("x" * 100_000)[1]) < 1_000
    assert unpack(*pack(b"\0" * 100_000)) == b"\0" * 100_000


@given(st.sets(st.integers(min_value=0, max_value=20_000)))
def test_lines_are_packed_as_coverage_packs_them(lines: set[int]) -> None:
    assert pack_lines(lines) == nums_to_numbits(lines) or not lines
    assert unpack_lines(pack_lines(lines)) == lines


@given(st.sets(st.tuples(st.integers(-100_000, 100_000), st.integers(-100_000, 100_000))))
def test_arcs_survive_packing(arcs: set[tuple[int, int]]) -> None:
    assert unpack_arcs(pack_arcs(arcs)) == arcs


def test_arcs_take_two_bytes_where_lines_are_near() -> None:
    assert len(pack_arcs((n, n + 1) for n in range(1, 1000))) == 2 * 999


@given(st.text())
def test_any_text_survives_as_bytes(text: str) -> None:
    assert to_text(to_bytes(text)) == text
    assert len(mark(to_bytes(text))) == 16
