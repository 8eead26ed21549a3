"""An optimisation in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.optimise.proposal import Status
from aipipe_build.report.words import megabytes, seconds

if TYPE_CHECKING:
    from aipipe_build.optimise.outcome import Outcome
    from aipipe_build.optimise.proposal import Judged
    from aipipe_build.optimise.replay import Replay

_TITLES = {
    Status.PROVEN: "Proven",
    Status.REFUSED: "Refused: the images differ",
    Status.SUGGESTION: "Suggestions, not proven",
}


def render_outcome(outcome: Outcome) -> str:
    """Return the outcome as text: what was proven, what it brings, the diff."""
    lines: list[str] = []
    for status, title in _TITLES.items():
        rows = [one for one in outcome.judged if one.status is status]
        if rows:
            lines += [f"{title}:", *(line for one in rows for line in _judged(one)), ""]
    if not outcome.judged:
        lines += ["There is nothing that a rule would change.", ""]
    lines += _sizes(outcome)
    if outcome.replay is not None:
        lines += _replay(outcome.replay)
    if not outcome.fits:
        lines.append(
            f"The image takes {megabytes(outcome.after.size)}, more than its limit of "
            f"{megabytes(outcome.limit)}. [image-too-large]"
        )
    diff = outcome.diff()
    if diff:
        lines += ["", diff.rstrip("\n")]
        lines += ["", _ending(outcome)]
    return "\n".join(lines) + "\n"


def _ending(outcome: Outcome) -> str:
    if outcome.written:
        return f"Written: {', '.join(outcome.rewritten())}."
    if not outcome.worth_it:
        return "The rebuilds got slower: nothing is written."
    return "Nothing was written; --write does that."


def _judged(one: Judged) -> list[str]:
    where = f" (line {one.proposal.line})" if one.proposal.line else ""
    lines = [f"  {one.proposal.rule:10}{one.proposal.title}{where}"]
    lines.append(f"            {one.reason}")
    lines += [f"            {text}" for text in one.differences[:5]]
    if len(one.differences) > 5:  # noqa: PLR2004 - a screen's worth
        lines.append(f"            and {len(one.differences) - 5} more, see --json")
    if one.allowed and one.status is Status.PROVEN:
        allowed = ", ".join(f"{name} ({count})" for name, count in sorted(one.allowed.items()))
        lines.append(f"            differs harmlessly: {allowed}")
    return lines


def _sizes(outcome: Outcome) -> list[str]:
    before, after = outcome.before, outcome.after
    share = f" ({100 * (after.size - before.size) / before.size:+.1f} %)" if before.size else ""
    size = (
        f"Size: {megabytes(before.size)} in {before.layers} layers before, "
        f"{megabytes(after.size)} in {after.layers} after{share}"
    )
    return [size, f"Smoke run: {outcome.smoke}"]


def _replay(replay: Replay) -> list[str]:
    lines = []
    if replay.rows:
        share = 100 * (replay.after - replay.before) / replay.before if replay.before else 0.0
        ran = [sum(getattr(row, side).ran for row in replay.rows) for side in ("before", "after")]
        lines.append(
            f"Rebuilds of the last {len(replay.rows)} commits: {seconds(replay.before)} before, "
            f"{seconds(replay.after)} after ({share:+.1f} %); {ran[0]} steps ran before, "
            f"{ran[1]} after"
        )
    lines += [f"  not replayed: {text}" for text in replay.skipped[:5]]
    return lines
