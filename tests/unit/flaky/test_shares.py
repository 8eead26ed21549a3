"""A limited time is shared among the steps of a hunt."""

from __future__ import annotations

import time
from typing import Any

from pytest_aipipe.flaky.hunt import ORDERS, RERUNS, SCREENS, SWEEP, Hunt


def test_a_step_that_takes_long_leaves_time_for_orders_and_mends() -> None:
    assert 0 < SCREENS < RERUNS < SWEEP < ORDERS < 1
    lab: Any = None
    hunt = Hunt(lab, [], seconds=1000)
    hunt._begun = time.monotonic() - 700
    hunt._share = SWEEP
    assert hunt.late()
    hunt._share = ORDERS
    assert not hunt.late()


def test_a_hunt_without_a_limit_is_never_late() -> None:
    lab: Any = None
    hunt = Hunt(lab, [])
    hunt._begun, hunt._share = 0.0, SCREENS
    assert not hunt.late()
