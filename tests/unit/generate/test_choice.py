from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.generate.choice import MOST_CHECKS, choose, narrow
from pytest_aipipe.mutate.model import Mutant

if TYPE_CHECKING:
    from pytest_aipipe.generate.kept import Fault


def fault(line: int) -> Fault:
    return ("/m.py", Mutant(line, "constant", "1", "2", f"x = {line}\n"))


A, B, C, D = (fault(n) for n in range(1, 5))
ALL = frozenset({A, B, C, D})


def test_a_check_is_kept_only_for_a_fault_that_nothing_else_of_the_test_notices() -> None:
    chosen = narrow(0, {A: (0, 1), B: (1,), C: ()}, ALL)

    assert chosen.checks == (1,)
    assert chosen.kills == {A, B, C}


def test_checks_that_notice_only_what_is_noticed_already_are_not_kept() -> None:
    chosen = narrow(0, {A: (0,), B: (1,)}, frozenset({B}))

    assert chosen.checks == (1,)
    assert chosen.kills == {B}


def test_of_many_checks_the_best_few_are_kept() -> None:
    faults = [fault(n) for n in range(MOST_CHECKS + 3)]
    chosen = narrow(0, {one: (n,) for n, one in enumerate(faults)}, frozenset(faults))

    assert chosen.checks == tuple(range(MOST_CHECKS))
    assert chosen.kills == frozenset(faults[:MOST_CHECKS])


def test_the_test_that_notices_most_comes_first_and_the_others_only_for_what_is_left() -> None:
    kills = [{A: ()}, {A: (), B: (), C: ()}, {C: (), D: ()}]

    chosen = choose(kills, [1, 1, 1], ALL, 8)

    assert [one.place for one in chosen] == [1, 2]


def test_among_equals_the_cheaper_wins_then_the_earlier() -> None:
    assert [one.place for one in choose([{A: ()}, {A: ()}], [3, 1], ALL, 8)] == [1]
    assert [one.place for one in choose([{A: ()}, {A: ()}], [1, 1], ALL, 8)] == [0]


def test_no_more_tests_are_chosen_than_there_is_room_for() -> None:
    chosen = choose([{A: (), B: ()}, {C: ()}, {D: ()}], [1, 1, 1], ALL, 2)

    assert [one.place for one in chosen] == [0, 1]


def test_nothing_is_chosen_where_nothing_is_noticed() -> None:
    assert choose([{}, {}], [1, 1], ALL, 8) == []
    assert choose([], [], ALL, 8) == []
