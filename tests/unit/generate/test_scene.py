"""What an engine is shown of a gap's surroundings."""

from __future__ import annotations

from pathlib import Path

from pytest_aipipe.generate.model import Gap, KnownTest
from pytest_aipipe.generate.scene import NEAREST, nearest

GAP = Gap("shop.py", "shop", "sell", frozenset({10}), frozenset())


def known(name: str, row: str, line: int) -> KnownTest:
    path = Path("/project/tests/test_shop.py")
    ran = {"shop.py": frozenset({line})}
    return KnownTest(f"{path}::{name}[{row}]", path, name, (), {}, ran, {})


def test_the_rows_of_one_test_do_not_crowd_out_another_test() -> None:
    many = [known("test_many", f"{n:03}", 10) for n in range(3 * NEAREST)]
    found = nearest(GAP, [*many, known("test_far", "0", 40)])
    assert [test.qualname for test in found[:3]] == ["test_many", "test_far", "test_many"]
    assert len(found) == NEAREST


def test_of_one_test_the_nearest_row_comes_first() -> None:
    found = nearest(GAP, [known("test_many", "far", 40), known("test_many", "near", 11)])
    assert [test.nodeid[-6:] for test in found] == ["[near]", "y[far]"]
