"""Who pollutes is found by bisection."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aipipe.flaky import order
from pytest_aipipe.flaky.verdict import Outcome, Verdict


class Bench:
    """A bench in which ``victim`` fails after all of ``polluters``."""

    def __init__(self, *polluters: str, state: dict[str, str] | None = None) -> None:
        self.polluters, self.state = set(polluters), state or {}
        self.runs = 0

    def run(self, tests: list[str], *, state: Any = None, **_: Any) -> Outcome:
        self.runs += 1
        bad = self.polluters <= set(tests[:-1])
        if state and set(self.state) & set(state.get("restore", ())):
            bad = False
        outcome = "failed" if bad else "passed"
        changed = tuple(
            {"key": key, "kind": kind, "was": "1", "now": "2", "double": False}
            for key, kind in self.state.items()
        )
        others = [Verdict(name, "passed") for name in tests[:-1]]
        return Outcome((*others, Verdict(tests[-1], outcome)), changed if state else ())


BEFORE = [f"t{number}" for number in range(100)]


@pytest.mark.parametrize(
    "polluters", [("t0",), ("t99",), ("t50",), ("t3", "t88"), ("t1", "t2", "t60")]
)
def test_the_fewest_polluters_are_found(polluters: tuple[str, ...]) -> None:
    bench: Any = Bench(*polluters)
    found = order.bisect(bench, "v", BEFORE, bad=True, late=lambda: False)
    assert sorted(found) == sorted(polluters)


def test_one_polluter_of_a_hundred_takes_few_runs() -> None:
    bench: Any = Bench("t42")
    order.bisect(bench, "v", BEFORE, bad=True, late=lambda: False)
    assert bench.runs <= 16


def test_a_verdict_that_does_not_turn_again_has_no_polluter() -> None:
    bench: Any = Bench("absent")
    assert order.bisect(bench, "v", BEFORE, bad=True, late=lambda: False) == ()


def test_the_state_that_cures_is_named() -> None:
    bench: Any = Bench("t1", state={"attribute:shop.FLAG": "attribute"})
    found = order.explain(bench, "v", ("t1",), bad=True)
    assert found.keys == ("attribute:shop.FLAG",)
    told = order.words(found, [Verdict("v", "passed")] * 3)
    assert told[0] == "passes alone (3 of 3) and fails after t1"
    assert "the module attribute shop.FLAG changed from 1 to 2" in told[1]


def test_orders_hold_every_test_once_and_are_the_same_each_time() -> None:
    tests = ["a", "b", "c", "d"]
    made = order.orders(tests, 3)
    assert [name for name, _ in made][:2] == ["in the given order", "in reverse order"]
    assert all(sorted(one) == tests for _, one in made)
    assert made == order.orders(tests, 3)
