"""A calibration in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe.calibrate.steps import Outcome

ORDER = ("model", "previous", "prior", "lines added")


def in_words(outcome: Outcome) -> str:
    """Return the calibration as a person reads it in a terminal."""
    share = outcome.faulty / outcome.commits if outcome.commits else 0.0
    mended = f"{outcome.faulty:,} of them ({share:.1%}) mended within a year"
    lines = [f"History   {outcome.commits:,} commits, {mended}"]
    if outcome.outcomes:
        lines.append(f"Releases  {outcome.outcomes} of our own taken into account")
    if outcome.scores:
        lines.append(f"Judged    on the newest {outcome.judged:,} that nothing was fitted to")
        lines.append("              AUC     precision-recall   Brier    calibration error")
        for name in ORDER:
            if name in outcome.scores:
                s = outcome.scores[name]
                lines.append(
                    f"  {name:<11} {s.auc:.3f}   {s.precision_recall:.3f}              "
                    f"{s.brier:.4f}   {s.calibration:.3f}"
                )
    lines.append(f"{'Adopted ' if outcome.adopted else 'Refused '}  {outcome.why}")
    lines += [f"Drift     {text}" for text in outcome.drift]
    return "\n".join(lines)


def document(outcome: Outcome) -> dict[str, Any]:
    """Return the calibration as JSON."""
    return {"schema": 1, **asdict(outcome)}
