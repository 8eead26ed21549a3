"""Loops of a test whose rounds are counted."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from pytest_aipipe.assertions.rounds import with_counted_rounds
from pytest_aipipe.generate.model import Candidate


def _candidate(body: str, head: str = "def test_it():") -> Candidate:
    return Candidate("written", "test_it", f"{head}\n{indent(dedent(body), '    ')}")


def test_a_loop_over_what_the_code_gives_is_counted_from_before_it() -> None:
    made = with_counted_rounds(
        _candidate(
            """\
            for attempt in Shop(open=False):
                with attempt:
                    pass
            """
        )
    )
    assert made is not None
    assert made.observe == ("rounds",)
    assert made.function == dedent(
        """\
        def test_it():
            rounds = 0
            for attempt in Shop(open=False):
                rounds += 1
                with attempt:
                    pass
        """
    )


def test_an_asynchronous_loop_within_a_block_is_counted_there() -> None:
    body = "shop = Shop()\nasync with shop:\n    async for one in shop:\n        one.close()\n"
    made = with_counted_rounds(_candidate(body, "async def test_it():"))
    assert made is not None
    lines = made.function.splitlines()
    assert lines[3:6] == [
        "        rounds = 0",
        "        async for one in shop:",
        "            rounds += 1",
    ]


def test_a_name_that_the_test_uses_is_not_taken() -> None:
    made = with_counted_rounds(_candidate("rounds = 3\nfor one in shop(rounds):\n    one.open()\n"))
    assert made is not None
    assert "rounds_seen += 1" in made.function
    assert made.observe[-1] == "rounds_seen"


@pytest.mark.parametrize(
    "body",
    [
        "for one in [1, 2]:\n    shop(one)\n",
        "for one in range(3):\n    shop(one)\n",
        "given = sorted([2, 1])\nfor one in given:\n    shop(one)\n",
        "for one in shop(): one.open()\n",
        "shop()\n",
        "def act():\n    for one in shop():\n        one.open()\nact()\n",
    ],
)
def test_rounds_that_say_nothing_of_the_code_are_not_counted(body: str) -> None:
    assert with_counted_rounds(_candidate(body)) is None
