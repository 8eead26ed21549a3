"""Texts that guards looked for in others."""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.engines.local import LocalEngine
from pytest_aipipe.engines.source.edits import Pool
from pytest_aipipe.engines.source.separators import missed_in, separator_edits
from pytest_aipipe.engines.techniques.construct import Construct
from pytest_aipipe.engines.techniques.examples import Examples
from pytest_aipipe.engines.techniques.search import Search
from pytest_aipipe.generate.model import Candidate, Comparison, Outcome

if TYPE_CHECKING:
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals
    from tests.unit.pytest_aipipe.engines.conftest import WorldOf


def seen(left: str | None, operator: str, right: str | None, *, taken: bool) -> Comparison:
    return Comparison("shop.py", 3, operator, left, right, taken)


@pytest.mark.parametrize(
    ("comparison", "missed"),
    [
        (seen("'.'", "not in", "'text'", taken=True), ["."]),
        (seen("b'.'", "in", "b''", taken=False), ["."]),
        (seen("'.'", "in", "'a.b'", taken=True), []),
        (seen("'.'", "in", "['a']", taken=False), []),
        (seen("1", "in", "'text'", taken=False), []),
        (seen("'.'", "==", "'text'", taken=False), []),
        (seen("''", "not in", "'text'", taken=True), []),
        (seen("b'\\xff'", "not in", "b'text'", taken=True), []),
        (seen(None, "not in", "'text'", taken=True), []),
    ],
)
def test_a_text_that_another_lacks_is_missed(comparison: Comparison, missed: list[str]) -> None:
    assert missed_in([comparison, comparison]) == missed


def test_a_text_is_put_between_parts_and_those_passed_to_the_gap_come_first() -> None:
    (function,) = ast.parse("def test_it():\n    t = make('m')\n    t.read(b'ab')\n").body
    assert isinstance(function, ast.FunctionDef)
    edits = list(separator_edits(function, Pool(("read",), (), ()), ["."]))
    texts = [ast.unparse(edit.function) for edit in edits]
    assert ["t.read(b'ab.ab')" in texts[0], "t.read(b'ab.ab.ab')" in texts[1]] == [True, True]
    assert ["t.read(b'ab.1')" in texts[2], "t.read(b'ab.x.1')" in texts[3]] == [True, True]
    assert "make('m.m')" in texts[4]
    assert len(texts) == 8


def test_what_the_code_of_the_gap_splits_by_is_put_between_parts(world: WorldOf) -> None:
    made = world(
        """
        def length(given):
            kind, _, value = given.partition(': ')
            found = {one.strip() for one in value.encode().split(b',')}
            name = value.split(maxsplit=1)
            if len(found) != 1:
                raise ValueError('conflict')
            return found.pop()
        """
    )
    made.knows(
        "from shop import length\n\n\ndef test_it():\n    assert length('a: 1') == b'1'\n",
        "test_it",
    )
    guided = LocalEngine([Construct(), Search()])
    situation = made.situation("length", "raise ValueError")
    assert situation.separators == (": ", ",")
    found = made.close("length", "raise ValueError", engine=guided)
    assert found.technique == "guided"
    assert "a: 1,a: 1" in found.function


class Many:
    """A technique that calls the same with one number after the other."""

    name = "many"

    def propose(self, _: Situation) -> Proposals:
        for n in range(9):
            text = f"def test_read():\n    Label({n}).read('ab')\n"
            yield [Candidate(self.name, "test_read", text)]


def test_what_a_guard_of_the_gap_missed_is_passed_at_once_and_not_without_end(
    world: WorldOf,
) -> None:
    made = world(
        """
        class Label:
            def read(self, given):
                if self.mark not in given:
                    raise ValueError('no mark')
                return 'two'
        """
    )
    gap = made.gap("Label.read", "return 'two'")
    missed = Comparison("shop.py", made.line("not in given"), "not in", "'.'", "'ab'", taken=True)
    proposals = LocalEngine([Many(), Examples()]).propose(gap, made.scene())
    batches = [next(proposals)]
    with suppress(StopIteration):
        while len(batches) < 100:
            plain = [Outcome("raised", comparisons=(missed,)) for _ in batches[-1]]
            batches.append(proposals.send(plain))
    assert len(batches) == 9 + 4
    assert ["'ab.ab'" in one.function for one in batches[1][:2]] == [True, False]
    assert "'ab.ab.ab'" in batches[1][1].function
    assert {one.technique for one in batches[1]} == {"many"}
    parted = [one for batch in batches for one in batch if "'ab." in one.function]
    assert len(parted) == 4 * 4  # the first four that missed it, in four forms each
    assert len(batches[-1]) == 1
