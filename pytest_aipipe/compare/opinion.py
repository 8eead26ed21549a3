"""A model's opinion on the differences of which the change itself does not say enough.

It is asked only where the rules of :mod:`pytest_aipipe.compare.announce` are unsure, it can
change nothing but that verdict, and what it quotes has to stand in the change.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core.llm import ModelError, prompt
from pytest_aipipe.compare.model import Announced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe_core.change.model import Hunk
    from aipipe_core.llm import Answer, Ask
    from pytest_aipipe.compare.model import BehaviorChange

MOST = 8
"""Questions of one run."""
_LONG_DIFF = 6000
_SHORTEST_QUOTE = 8
_VERDICTS = {"intended": Announced.INTENDED, "regression": Announced.UNANNOUNCED}


def with_opinions(
    changes: Sequence[BehaviorChange],
    message: str,
    ask: Callable[[Ask], Answer],
    *,
    seconds: float,
) -> list[BehaviorChange]:
    """Return the changes, those that were unsure with a model's verdict where it gave one.

    ``message`` is the commit message. Nothing is asked once ``seconds`` have passed; a model
    that does not answer leaves the verdict as it is, and is not asked again.
    """
    deadline = time.monotonic() + seconds
    found: list[BehaviorChange] = []
    left = MOST
    for change in changes:
        if change.announced is Announced.UNSURE and left and time.monotonic() < deadline:
            left -= 1
            try:
                answer = ask(_question(change, message))
            except ModelError:
                left = 0
            else:
                found.append(_judged(change, answer, message))
                continue
        found.append(change)
    return found


def _question(change: BehaviorChange, message: str) -> Ask:
    return prompt("behavior").ask(
        change.symbol,
        symbol=change.symbol,
        input=change.input,
        base=change.base,
        head=change.head,
        message=message,
        diff=diff_of(change.hunk),
    )


def diff_of(hunk: Hunk | None) -> str:
    """Return a hunk as a diff shows it."""
    if hunk is None:
        return ""
    lines = [*(f"-{line}" for line in hunk.removed), *(f"+{line}" for line in hunk.added)]
    return "\n".join(lines)[:_LONG_DIFF]


def _judged(change: BehaviorChange, answer: Answer, message: str) -> BehaviorChange:
    data = answer.data
    verdict = _VERDICTS.get(data["verdict"])
    if verdict is None:
        return change
    quote = " ".join(str(data["evidence"]).split()).strip("\"'` ")
    material = " ".join(f"{message}\n{diff_of(change.hunk)}".split())
    if len(quote) < _SHORTEST_QUOTE or quote not in material:
        return change  # it quotes what nobody wrote
    reason = f"{' '.join(str(data['reason']).split())[:200]} (“{quote[:120]}”)"
    return replace(change, announced=verdict, reason=reason, by_model=True)
