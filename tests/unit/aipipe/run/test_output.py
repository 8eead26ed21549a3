"""A stage's output, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe.run import output
from aipipe.run.output import HEAD, LIVE, TAIL, Output

if TYPE_CHECKING:
    from pathlib import Path


class Seen:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, stage: str, text: str) -> None:
        self.lines.append(f"{stage}: {text}")


def test_lines_are_shown_whole_though_they_come_in_pieces(tmp_path: Path) -> None:
    seen = Seen()
    out = Output("t", tmp_path / "log", seen)
    for piece in (b"one\ntw", b"o\r\n", b"\xff\n", b"last"):
        out.write(piece)
    out.close()
    assert seen.lines == ["t: one", "t: two", "t: �", "t: last"]
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\r\n\xff\nlast"


def test_of_too_much_the_beginning_and_the_end_are_kept_and_the_rest_is_told(
    tmp_path: Path,
) -> None:
    seen = Seen()
    out = Output("t", tmp_path / "log", seen)
    out.write(b"BEGIN\n")
    for _ in range(200):
        out.write((b"x" * 99 + b"\n") * 655)
    out.write(b"THE END\n")
    out.close()
    kept = (tmp_path / "log").read_bytes()
    assert kept.startswith(b"BEGIN\n")
    assert kept.endswith(b"THE END\n")
    assert len(kept) < HEAD + TAIL + 200_000
    assert out.left_out == out.seen - (len(kept) - len(kept.partition(b"[aipipe] ")[1])) + (
        len(f"\n[aipipe] {out.left_out:,} bytes of output are left out here\n") - len("[aipipe] ")
    )
    assert f"{out.left_out:,} bytes of output are left out here".encode() in kept
    assert sum(map(len, seen.lines)) < 2 * LIVE
    assert "not shown any further" in seen.lines[-1]


def test_a_line_without_end_does_not_grow_without_bound(tmp_path: Path) -> None:
    seen = Seen()
    out = Output("t", tmp_path / "log", seen)
    for _ in range(100):
        out.write(b"y" * 1000)
    assert len(out._line) <= output.LONGEST_LINE
    out.close()
    assert len(seen.lines) > 10


def test_what_comes_after_the_close_is_dropped(tmp_path: Path) -> None:
    out = Output("t", tmp_path / "log", Seen())
    out.close()
    out.write(b"late")
    assert (tmp_path / "log").read_bytes() == b""
