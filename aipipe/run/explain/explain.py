"""The explanation of a failed stage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe.run.explain.blame import suspects
from aipipe.run.explain.suggest import suggestions
from aipipe.run.explain.traces import Trace, read_trace
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aipipe.pipeline.model import Stage
    from aipipe.run.process import Ended
    from aipipe_core.change import Change

READ = 1_000_000
"""Bytes at a log's end that are read: failures are told last."""
SHOWN = 10
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in one sentence, the places it names, the hunk to look at, what to try."""

    summary: str
    places: tuple[dict[str, Any], ...] = ()
    hunk: dict[str, Any] | None = None
    suggestions: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it in the form of ``run.json``."""
        return {
            "summary": self.summary,
            "places": list(self.places),
            "hunk": self.hunk,
            "suggestions": list(self.suggestions),
        }


def explain(
    stage: Stage, argv: Sequence[str], ended: Ended, log: Path, change: Change
) -> Explanation:
    """Return why the stage failed, as far as its output and the change tell."""
    trace = read_trace(_end_of(log), change.root, stage.directory)
    found = suspects(change, trace, _past_fixes(change))
    hunk = None
    if found:
        one = found[0]
        hunk = {"path": one.path, "start": one.start, "end": one.end, "why": one.why}
    places = tuple(
        {"path": place.path, "line": place.line, "function": place.function}
        for place in trace.places[:SHOWN]
    )
    advice: tuple[str, ...] = ()
    if "suggest_fixes" in stage.on_failure:
        advice = tuple(suggestions(trace, ended, argv, stage.timeout))
    return Explanation(_summary(trace, ended), places, hunk, advice)


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - READ))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _summary(trace: Trace, ended: Ended) -> str:
    parts = [ended.words]
    if trace.tests:
        count = len(trace.tests)
        more = f" and {count - 1} more" if count > 1 else ""
        parts.append(f"{trace.tests[0]}{more} failed")
    if trace.errors and not ended.timed_out:
        parts.append(trace.errors[-1])
    text = ": ".join([parts[0], "; ".join(parts[1:])]) if len(parts) > 1 else parts[0]
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _past_fixes(change: Change) -> dict[str, int]:
    """Return the number of past fixes by path; nothing where the history is not here."""
    from aipipe.risk.history import fixes_by_path

    try:
        return Counter(fixes_by_path(change))
    except AipipeError:
        return {}
