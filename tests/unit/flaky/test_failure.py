"""How two compared values differ says a lot about the cause."""

from __future__ import annotations

import pytest

from pytest_aipipe.flaky.causes import Cause, of_schedule, refine
from pytest_aipipe.flaky.child.failure import difference
from pytest_aipipe.flaky.verdict import Verdict


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ([1, 2], [2, 1], "order"),
        ((1, 2), [2, 1], "order"),
        ("b, a", "a, b", "order"),
        ([1, 2], [1, 3], "other"),
        (0.1 + 0.2, 0.3, "float"),
        ([0.1 + 0.2, 1], [0.3, 1], "float"),
        (1.0, 1.1, "other"),
        (1, 2, "other"),
        (True, 1.0, "other"),
        ({1}, {2}, "other"),
        (float("nan"), 1.0, "other"),
        (None, 1.0, "other"),
    ],
)
def test_the_kind_of_a_difference(left: object, right: object, kind: str) -> None:
    assert difference(left, right)["kind"] == kind


def test_values_that_cannot_be_compared_are_other() -> None:
    class Odd(list):  # type: ignore[type-arg]
        def __ne__(self, other: object) -> bool:
            raise RuntimeError

    assert difference(Odd([1]), [1])["kind"] == "other"


def failed(**touched: object) -> Verdict:
    return Verdict("t", "failed", touched=touched)


def test_floats_that_nearly_agree_are_the_cause_whatever_turned_them() -> None:
    near = Verdict("t", "failed", compare={"kind": "float"})
    assert refine(Cause.HASH_SEED, near) is Cause.FLOAT
    assert refine(Cause.RANDOMNESS, near) is Cause.FLOAT
    assert refine(Cause.CLOCK, near) is Cause.CLOCK


def test_a_delay_that_turns_a_verdict_blames_what_the_test_uses() -> None:
    assert of_schedule(failed(loops=1, threads=2)) is Cause.ASYNC
    assert of_schedule(failed(threads=1)) is Cause.CONCURRENCY
    assert of_schedule(failed(timers=2)) is Cause.RESOURCES


def test_a_timeout_on_a_socket_is_the_networks() -> None:
    timed_out = Verdict("t", "failed", types=("TimeoutError",), touched={"local": True})
    refused = Verdict("t", "failed", types=("ConnectionRefusedError",), touched={"local": True})
    assert refine(Cause.CONCURRENCY, timed_out) is Cause.NETWORK
    assert refine(Cause.CONCURRENCY, refused) is Cause.CONCURRENCY
