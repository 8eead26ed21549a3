from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_aipipe.select import shelf
from pytest_aipipe.select.reader import read_mentions

SOURCE = b"""
import a.b as c
from .d import *
from e import f, g

@pytest.fixture(scope="module", autouse=True)
def one(x=c.d):
    global kept
    return getattr(f, x)

class A(f.B, metaclass=M):
    limit: int = 3
    def go(self, n=g):
        try:
            return self.limit + "p.q:r"
        except (f.Wrong, g):
            with raises(OSError):
                pass

REGISTER(A)
kept = [A]
"""


@pytest.mark.parametrize("source", [SOURCE, b"", b"x = (", Path(__file__).read_bytes()])
def test_what_is_kept_of_a_file_is_what_its_text_says(source: bytes) -> None:
    found = read_mentions(source)
    kept = json.loads(json.dumps(shelf.packed(found)))
    assert shelf.unpacked(kept) == found


@pytest.mark.parametrize("row", [None, {}, [], {"ways": [1]}, "text"])
def test_values_of_another_kind_are_nothing(row: object) -> None:
    assert shelf.unpacked(row) is None
