from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_aipipe.flaky.suspects import Rerun, rerun, told

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Ran:
    bad: bool


class Bench:
    """A bench on which ``passing`` tests pass in their second rerun, and no other does."""

    def __init__(self, tests: list[str], passing: set[str]) -> None:
        self.collected = tests
        self.passing = passing
        self.order: list[str] = []

    def alone(self, nodeid: str) -> Ran:
        self.order.append(nodeid)
        return Ran(bad=nodeid not in self.passing or self.order.count(nodeid) < 2)


class Lab:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @contextmanager
    def start(self, _: object) -> Iterator[Bench]:
        yield self.bench


def again(bench: Bench, most: int, **more: float) -> list[Rerun]:
    lab: Any = Lab(bench)
    return rerun(lab, dict.fromkeys(bench.collected, "why"), most, **more)


def test_suspects_are_rerun_in_turn_until_they_pass() -> None:
    bench = Bench(["a", "b"], {"b"})
    found = again(bench, 3)
    assert bench.order == ["a", "b", "a", "b", "a"]
    assert [(one.nodeid, one.runs, one.passes) for one in found] == [("a", 3, 0), ("b", 2, 1)]


def test_without_time_nothing_is_rerun() -> None:
    bench = Bench(["a"], set())
    assert again(bench, 3, seconds=0.0) == []
    assert bench.order == []


def test_many_that_fail_alike_are_one_sentence() -> None:
    failed = [Rerun(f"test_{n}", "why", runs=2 + n % 2) for n in range(20)]
    passed = Rerun("test_x", "why", runs=1, passes=1)
    first, second = told([*failed, passed])
    assert first == passed.words
    assert second.startswith("20 suspects failed in all of their 2 to 3 reruns, among them test_0,")
    assert told(failed[:2]) == [one.words for one in failed[:2]]
