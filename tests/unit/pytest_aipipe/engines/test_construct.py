"""An object is put into the state that each open place asks for, the places in turn."""

from __future__ import annotations

from typing import Any

from pytest_aipipe.engines.techniques.construct import Construct

WORDS = ("IF", "FOR", "CASE", "WHILE", "LOOP", "REPEAT")
SPLITTER = "class Splitter:\n    def __init__(self):\n        self._stack = []\n\n" + (
    "    def level(self, word):\n"
    + "".join(
        f"        if word == 'END {word}':\n"
        f"            if self._stack and self._stack[-1] == '{word}':\n"
        f"                return 'left {word}'\n"
        for word in WORDS
    )
    + "        return 'none'\n"
)


def test_every_open_place_gets_its_state_before_any_gets_a_second_one(world: Any) -> None:
    here = world(SPLITTER)
    texts = [f"left {word}" for word in WORDS]
    situation = here.situation("Splitter.level", *texts)
    open_lines = {here.line(text) for text in texts}
    made: list[str] = []
    for batch in Construct().propose(situation):
        for candidate in batch:
            made.append(candidate.function)
            outcome = here.run(candidate)
            situation.learn(outcome)
            open_lines -= outcome.lines.get(here.path, frozenset())
        if not open_lines:
            break

    assert not open_lines
    assert sum("_stack =" in one for one in made) <= 2 * len(WORDS)


def test_a_state_for_a_place_that_was_reached_is_not_tried_again(world: Any) -> None:
    here = world(SPLITTER)
    situation = here.situation("Splitter.level", "left IF", "left CASE")
    situation.lines.discard(here.line("left IF"))

    made = [one.function for batch in Construct().propose(situation) for one in batch]

    assert any("_stack = ['CASE']" in one for one in made)
    assert not any("_stack = ['IF']" in one for one in made)


def test_what_the_class_itself_sets_is_the_state_where_it_does_for_the_guard(world: Any) -> None:
    here = world(
        """
        class Reader:
            def __init__(self):
                self._rest = b''

            def feed(self, data):
                self._rest = b'end'

            def read(self):
                if self._rest:
                    return 'some'
                return 'none'
        """
    )
    situation = here.situation("Reader.read", "return 'some'")

    made = [one.function for batch in Construct().propose(situation) for one in batch]

    stated = [one for one in made if "._rest =" in one]
    assert "._rest = b'end'" in stated[0]
