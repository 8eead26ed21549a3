from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from aipipe_core.findings.terminal import Terminal

sys.path.insert(0, str(Path(__file__).parent))
from samples import PLAIN


class Stream(io.StringIO):
    encoding = "utf-8"

    def __init__(self, *, live: bool) -> None:
        super().__init__()
        self.live = live

    def isatty(self) -> bool:
        return self.live


@pytest.mark.parametrize(
    ("live", "environ", "colour"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_and_for_who_asks(
    live: bool, environ: dict[str, str], colour: bool
) -> None:
    text = Terminal.for_stream(Stream(live=live), environ).render(PLAIN)
    assert ("\x1b[" in text) is colour


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    made = Terminal.for_stream(Stream(live=False), {"COLUMNS": str(width)})
    assert max(map(len, made.render(PLAIN).splitlines())) <= width


def test_a_stream_without_unicode_gets_ascii() -> None:
    stream = Stream(live=False)
    stream.encoding = "ascii"
    assert Terminal.for_stream(stream, {}).render(PLAIN).isascii()


def test_a_nonsense_width_is_ignored() -> None:
    assert Terminal.for_stream(Stream(live=False), {"COLUMNS": "wide"}).width == 100
