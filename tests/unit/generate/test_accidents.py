from __future__ import annotations

import pytest

from pytest_aipipe.assertions.settle import Goal, Settled, is_accident
from pytest_aipipe.generate.accidents import ENOUGH, Accidents, heard
from pytest_aipipe.generate.kept import Kept
from pytest_aipipe.generate.model import Candidate, Gap, Outcome
from pytest_aipipe.generate.remaining import Remaining
from pytest_aipipe.generate.rota import Turn, Work

GAP = Gap("shop.py", "shop", "grade", frozenset({2, 3}), frozenset({(2, 3)}))
NO_ENGINE: object = None


def ran(raised: str, at: int) -> Outcome:
    lines, arcs = {"shop.py": frozenset({1, 2, 3})}, {"shop.py": frozenset({(2, 3)})}
    return Outcome("raised", lines, arcs, raised=raised, raised_at=("shop.py", at))


def is_raise(path: str, line: int) -> bool:
    return (path, line) == ("shop.py", 3)


def turn(had: int) -> Turn:
    work = Work(GAP, NO_ENGINE, NO_ENGINE, [], had=had)  # type: ignore[arg-type]
    return Turn(GAP, NO_ENGINE, [], work)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "at", "expected"),
    [
        ("TypeError: no len()", 2, True),
        ("TypeError: expected a text", 3, False),
        ("ShopError: from a helper", 2, False),
    ],
)
def test_only_an_error_of_wrong_input_that_nobody_raises_is_an_accident(
    raised: str, at: int, *, expected: bool
) -> None:
    assert is_accident(ran(raised, at), is_raise) is expected


def test_an_engine_hears_that_an_accident_reached_nothing_until_enough_was_tried() -> None:
    outcome = ran("TypeError: no len()", 2)

    first = heard(turn(0), outcome, is_raise)

    assert first.lines["shop.py"] == {1}
    assert first.arcs["shop.py"] == set()
    assert heard(turn(ENOUGH), outcome, is_raise) is outcome


def test_accidents_are_all_for_a_gap_when_they_reach_all_of_it_and_enough_was_tried() -> None:
    settled = Settled(Candidate("t", "test_it", ""), Goal({}, {}), Outcome("passed"))
    reached = Goal({"shop.py": frozenset({2, 3})}, {"shop.py": frozenset({(2, 3)})})
    accidents, remaining = Accidents(), Remaining([GAP])

    assert not accidents.are_all_for(turn(ENOUGH).work, remaining)
    accidents.append(Kept(settled, GAP, "local", reached, 1))
    assert accidents.are_all_for(turn(ENOUGH).work, remaining)
    assert not accidents.are_all_for(turn(ENOUGH - 1).work, remaining)
