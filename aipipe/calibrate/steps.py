"""``aipipe calibrate`` as a list of steps: walk, split, fit, judge, adopt or not, tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aipipe.calibrate.kept import Kept, load, save
from aipipe.calibrate.outcomes import outcomes_of, with_outcomes
from aipipe.calibrate.scorecard import prior
from aipipe.past.learn import FOLDER, learned
from aipipe_core.change.git import run
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aipipe.calibrate.scores import Scores
    from aipipe.calibrate.table import Split, Table

FEW = 30
"""Commits below which there is nothing to learn from: the written rules stay."""
JUDGEABLE = 10
"""Faulty commits that the held-out part needs for its scores to mean anything."""
DRIFTED = 1.0
"""Standard deviations by which a measure has to have moved to be called drift."""
LATELY = 2000
"""Newest commits by which the levels are drawn."""


@dataclass(slots=True)
class Outcome:
    """What a calibration found. ``scores`` are by name: model, prior, lines added, previous."""

    commits: int = 0
    faulty: int = 0
    judged: int = 0
    scores: dict[str, Scores] = field(default_factory=dict)
    adopted: bool = False
    why: str = ""
    drift: list[str] = field(default_factory=list)
    outcomes: int = 0
    curve: list[tuple[float, float, int]] = field(default_factory=list)
    """Of the model on the held-out part: predicted, observed, how many."""


def calibrate(
    top: Path,
    home: Path,
    *,
    since: float | None = None,
    now: float | None = None,
    tell: Callable[[int], None] | None = None,
) -> Outcome:
    """Learn from the history up to HEAD; ``home`` is the repository's ``.aipipe``.

    ``since`` (seconds since 1970) leaves older commits out of fitting; ``now`` is the moment
    at which it is learned, for a replay of the past. Raises ``RequestError``
    (``history-short``) and ``SurroundingsError`` (``history-shallow``, ``fitting-missing``).
    """
    from aipipe.calibrate.fit import fit_model, levels_of, predict, require_sklearn
    from aipipe.calibrate.model import RiskModel
    from aipipe.calibrate.table import split, table_of

    require_sklearn()
    head = run(top, "rev-parse", "HEAD", check=False)
    walk = learned(top, head.text, home, tell=tell) if head.code == 0 else None
    if walk is None or len(walk.rows) < FEW:
        raise _short(top, 0 if walk is None else len(walk.rows))
    table = table_of(walk.rows.values())
    if since is not None:
        table = table.only(table.times >= since)
    if len(table) < FEW:
        raise _short(top, len(table))
    now = datetime.now(UTC).timestamp() if now is None else now
    parts = split(table, now)
    outcome = Outcome(len(table), int(table.labels.sum()), len(parts.later))
    previous, card = load(home / FOLDER), prior()
    _judge(outcome, parts, previous)
    _decide(outcome)
    ripe, outcome.outcomes = with_outcomes(table.ripe(now), walk, outcomes_of(home))
    if outcome.adopted:
        model = fit_model(ripe, card, table.fresh(now)) if len(ripe) else RiskModel(card)
        _note_drift(outcome, table, previous)
        kept = {name: asdict(found) for name, found in outcome.scores.items()}
        fitted = datetime.now(UTC).isoformat(timespec="seconds")
        levels = levels_of(predict(model, table)[-LATELY:])
        found = Kept(model, walk.last, fitted, kept, _shapes(table), levels, outcome.curve)
        save(found, home / FOLDER)
    return outcome


def _short(top: Path, count: int) -> RequestError:
    return RequestError(
        "history-short",
        f"{count} commits are too few to learn from; at least {FEW} are needed",
        where=str(top),
        hint="Until then risk follows the written rules; nothing has to be done.",
    )


def _judge(outcome: Outcome, parts: Split, previous: Kept | None) -> None:
    """Score on the held-out part: a model fitted before it, the prior, the baseline, the last."""
    from aipipe.calibrate.fit import fit_model, predict
    from aipipe.calibrate.model import RiskModel
    from aipipe.calibrate.scores import curve, scores

    later = parts.later
    faults = int(later.labels.sum()) if len(later) else 0
    if faults < JUDGEABLE or faults == len(later) or not len(parts.past):
        return
    candidates = {"model": fit_model(parts.past, prior(), parts.fresh), "prior": RiskModel(prior())}
    if previous is not None:
        candidates["previous"] = previous.model
    for name, model in candidates.items():
        outcome.scores[name] = scores(later.labels, predict(model, later))
    outcome.curve = curve(later.labels, predict(candidates["model"], later))
    outcome.scores["lines added"] = scores(later.labels, _by_lines(parts))


def _by_lines(parts: Split):  # type: ignore[no-untyped-def]  # noqa: ANN202 - numpy is lazy here
    """Return the baseline's probabilities: a logistic regression on the lines added alone."""
    import numpy as np

    from aipipe.calibrate.fit import fit_platt

    past, later = parts.past.column("lines_added"), parts.later.column("lines_added")
    slope, shift = fit_platt(past, parts.past.labels)
    if not shift:
        shift = -3.0  # nothing to fit to: an ordinary rate keeps the Brier score honest
    return 1 / (1 + np.exp(-(slope * later + shift)))


def _decide(outcome: Outcome) -> None:
    """Adopt a model that beats the baseline; an unjudged one only stands on the prior."""
    if not outcome.scores:
        outcome.adopted = True
        outcome.why = (
            "the held-out part has too few faults to judge by: the prior speaks, and what this "
            "history adds to it is small"
        )
        return
    model, lines = outcome.scores["model"], outcome.scores["lines added"]
    outcome.adopted = model.auc > lines.auc and model.brier <= lines.brier
    if outcome.adopted:
        outcome.why = f"it tells better than lines added (AUC {model.auc:.3f} > {lines.auc:.3f})"
    elif model.auc <= lines.auc:
        outcome.why = (
            f"it tells no better than lines added (AUC {model.auc:.3f}, {lines.auc:.3f}); "
            "what was there stays"
        )
    else:
        outcome.why = (
            f"its probabilities are worse than those of lines added (Brier {model.brier:.4f}, "
            f"{lines.brier:.4f}); what was there stays"
        )


def _shapes(table: Table) -> dict[str, float]:
    newest = table.values[-500:]
    return {name: float(newest[:, n].mean()) for n, name in enumerate(table.names)}


def _note_drift(outcome: Outcome, table: Table, previous: Kept | None) -> None:
    """Name what changes look like now and did not when the previous model was fitted."""
    from aipipe.calibrate.words import in_words

    if previous is None:
        return
    spread = table.values.std(axis=0)
    for n, (name, now) in enumerate(_shapes(table).items()):
        before = previous.shapes.get(name)
        if before is None or not spread[n] or name.startswith("project_age"):
            continue
        if abs(now - before) > DRIFTED * spread[n]:
            outcome.drift.append(f"then {in_words(name, before)}, now {in_words(name, now)}")
