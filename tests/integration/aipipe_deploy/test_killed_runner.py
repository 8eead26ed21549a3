"""A runner that is killed at a boundary of its journal; bench/deploy_kill.py has them all."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.mark.parametrize(
    ("boundary", "side", "recover"),
    [(3, "after", "resume"), (9, "after", "rollback"), (10, "before", "resume"), (16, "before", "rollback")],
)  # fmt: skip
def test_whoever_comes_next_brings_it_to_one_version_and_no_user_notices(
    matrix: Any, boundary: int, side: str, recover: str
) -> None:
    matrix.cell("canary", matrix.up("canary"), boundary, side, recover)

    (cell,) = matrix.cells
    assert cell["problems"] == []
    assert cell["lost"] == 0, cell["reasons"]
    assert cell["sent"] > 100
    assert cell["version"] == ("2" if recover == "resume" else "1")


def test_a_way_back_that_was_killed_is_finished_and_never_undone(matrix: Any) -> None:
    matrix.boundaries("up", matrix.up("hotfix"), "2")
    matrix.cell("back", ["rollback"], 3, "after", "resume")

    assert [cell["problems"] for cell in matrix.cells] == [[], []]
    assert sum(cell["lost"] for cell in matrix.cells) == 0
    assert matrix.version == "1"
