"""What became of a model's tests, in words that help it to write better ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.engines.llm.question import Verdict
from pytest_aipipe.report.terminal import ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.generate.model import Candidate, Comparison, Outcome

MOST_WORDS = 400


def verdict(situation: Situation, candidate: Candidate, outcome: Outcome) -> Verdict:
    """Return what to say of one test."""
    if outcome.admitted:
        return Verdict(candidate.name, "admitted")
    if outcome.refused:
        return Verdict(candidate.name, f"not admitted: {_cut(outcome.refused)}")
    reached = _reached(situation, outcome)
    if outcome.status == "passed":
        return Verdict(candidate.name, f"passes, but runs nothing that is still open. {reached}")
    if outcome.status == "timeout":
        return Verdict(candidate.name, "does not end in time")
    said = outcome.raised or outcome.detail or outcome.status
    return Verdict(candidate.name, f"{outcome.status}: {_cut(said)}. {reached}")


def _reached(situation: Situation, outcome: Outcome) -> str:
    ran = outcome.lines.get(situation.gap.path, frozenset()) & situation.around
    if not ran:
        return f"It does not enter {situation.gap.symbol}."
    parts = [f"In {situation.gap.symbol} it ran lines {ranges(ran)}."]
    seen = [one for one in outcome.comparisons if one.line in situation.guard_lines]
    parts += [_guard(one) for one in {one.line: one for one in seen}.values()][:4]
    return " ".join(parts)


def _guard(one: Comparison) -> str:
    left, right = (side or "an object" for side in (one.left, one.right))
    operands = f"{left} {one.op} {right}" if one.op != "truth" else left
    return f"At line {one.line}, {_cut(operands, 120)} was {'true' if one.taken else 'false'}."


def tries(situation: Situation, best: Sequence[tuple[Candidate, Outcome]]) -> str:
    """Return the nearest tries of the other engines, with how far each came."""
    out = []
    for candidate, outcome in best:
        body = candidate.function.strip()
        out.append(f"{body}\n# {_reached(situation, outcome)}")
    return "\n\n".join(out)


def _cut(text: str, most: int = MOST_WORDS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most // 2]} ... {line[-most // 2 :]}"
