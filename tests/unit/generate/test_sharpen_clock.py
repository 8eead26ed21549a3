from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_aipipe.generate import strength
from pytest_aipipe.generate.sharpen import SESSION, Sharpener


class Clock:
    """More time whenever it is asked for, but never enough for one more round."""

    def __init__(self) -> None:
        self.extended = 0

    def extend(self) -> bool:
        self.extended += 1
        assert self.extended < 5, "asks for time again and again, and does nothing with it"
        return True


def test_time_that_does_not_suffice_for_a_round_ends_the_work() -> None:
    clock = Clock()
    tools: Any = SimpleNamespace(
        request=SimpleNamespace(budget=60.0),
        explorer=SimpleNamespace(try_all=lambda _, **__: []),
        engines=(),
        left=lambda: 1.5 * SESSION,
        extend=clock.extend,
        bound=lambda _: None,
    )
    faults: Any = {"shop.py": list(range(50))}
    assert Sharpener(tools, faults).sharpened([]) == []
    assert clock.extended == 1


@pytest.mark.parametrize("left", [50.0, 20.0, 10.0, 6.0])
def test_the_last_count_keeps_time_of_its_own(left: float) -> None:
    after = left - strength.sharpening(60.0, left)
    assert strength.seconds_for(60.0, after) >= strength.LEAST_SECONDS
    assert after >= left / 2 or after >= 60.0 * strength.END_SHARE


def test_the_more_lines_new_tests_run_the_more_time_is_kept_for_their_faults() -> None:
    kept = [strength.reserved(60.0, 0.0, lines) for lines in (0, 10, 60, 1000)]
    assert kept == sorted(set(kept))
    assert kept[-1] == strength.reserved(60.0, 60.0)


@pytest.mark.parametrize(("faults", "most"), [(0, 8), (50, 8), (137, 13)])
def test_a_large_change_may_have_more_tests(faults: int, most: int) -> None:
    made: Any = {"shop.py": list(range(faults))}
    tools: Any = SimpleNamespace(request=SimpleNamespace(budget=60.0), engines=())
    assert Sharpener(tools, made)._most() == most
