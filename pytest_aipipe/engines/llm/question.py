"""The question about a gap, and the one that follows a rejection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aipipe_core.llm import Message, prompt
from aipipe_core.llm.tokens import bound_of
from pytest_aipipe.engines.llm import material, surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_core.change.model import Hunk
    from aipipe_core.llm import Ask
    from pytest_aipipe.engines.situation import Situation

MOST_TOKENS = 5000
"""A question that is longer leaves out what helps least; a function is never cut."""

WITHOUT_CODE = (
    "No line is shown: only signatures may leave. Write tests that call it with values which "
    "are likely to take every branch, and assert on what must hold whatever the code is."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a test that a model wrote, in words for the model."""

    name: str
    said: str


def first(situation: Situation, *, send: str, hunks: Sequence[Hunk] = (), tried: str = "") -> Ask:
    """Return the first question about a gap; ``send`` says what may leave."""
    gap = situation.gap
    label = f"{gap.path}::{gap.symbol}"
    if send == "signatures":
        return prompt("tests").ask(
            label, module=gap.module, path="it", outline="", nearest="", nearest_name="",
            fixtures=[], symbol=gap.symbol, listing=surroundings.bare_signatures(situation),
            removed="", wanted=WITHOUT_CODE, tried="",
        )  # fmt: skip
    name, text = material.nearest(situation)
    values = {
        "module": gap.module,
        "path": gap.path,
        "symbol": gap.symbol,
        "outline": surroundings.outline(situation),
        "nearest": text,
        "nearest_name": name,
        "fixtures": material.fixtures(situation),
        "listing": material.listing(situation),
        "removed": material.removed(situation, hunks),
        "wanted": material.wanted(situation),
        "tried": tried,
    }
    ask = prompt("tests").ask(label, **values)
    for spare in ("removed", "tried", "outline", "nearest"):
        if bound_of([one.text for one in ask.messages]) <= MOST_TOKENS:
            break
        values[spare] = ""
        ask = prompt("tests").ask(label, **values)
    return ask


def again(asked: Ask, answer: str, verdicts: Sequence[Verdict], situation: Situation) -> Ask:
    """Return the next question of the conversation: the gate's reasons, and what is still open."""
    shown = asked.messages[1].text
    is_shown = WITHOUT_CODE not in shown
    said = prompt("repair").rendered(
        verdicts=verdicts, wanted=material.wanted(situation) if is_shown else ""
    )
    # The conversation only grows, so that what a provider has read is found in its cache.
    turn = (Message("assistant", answer), Message("user", said))
    return replace(asked, messages=(*asked.messages, *turn))
