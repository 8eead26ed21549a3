"""Risk by the calibrated model, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe.risk.features import Feature
from aipipe.risk.score import Reason, Risk, level_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_core.change import Change
    from aipipe_core.config import Settings

SHOWN = 8
LEAST = 0.05
"""Effects below are noise to a reader."""


def assess_learned(change: Change, home: Path, settings: Settings) -> Risk | None:
    """Return the risk by the model that ``aipipe calibrate`` left in ``home``.

    None where there is none, where the history is cut off, and for a change of nothing.
    """
    from aipipe.calibrate.kept import load
    from aipipe.past.learn import FOLDER, learned
    from aipipe_core.errors import AipipeError

    kept = load(home / FOLDER)
    if kept is None or not change.files:
        return None
    try:
        walk = learned(change.root, change.base, home)
    except AipipeError:
        return None  # the written rules need no history
    measures = _measured(change, walk)
    effects = kept.model.effects(measures)
    probability = round(kept.model.probability(measures), 4)
    reasons = _reasons(measures, effects)
    return Risk(probability, _level(probability, kept.levels, settings), reasons, "model")


def _measured(change: Change, walk: object) -> Mapping[str, float]:
    from aipipe.past.measures import OF_MESSAGE, measure
    from aipipe.past.present import as_commit
    from aipipe.past.walk import Walk
    from aipipe_core.change.spec import STAGED, WORKTREE

    assert isinstance(walk, Walk)  # noqa: S101 - typed loosely to import it lazily
    found = measure(as_commit(change), walk.known(change.base))
    if change.head in (STAGED, WORKTREE):  # what is not committed yet has no message to go by
        return {name: value for name, value in found.items() if name not in OF_MESSAGE}
    return found


def _reasons(measures: Mapping[str, float], effects: Mapping[str, float]) -> tuple[Reason, ...]:
    from aipipe.calibrate.words import in_words

    strongest = sorted(effects.items(), key=lambda item: (-abs(item[1]), item[0]))
    found = [
        Reason(
            Feature(
                name, round(measures.get(name, 0.0), 4), in_words(name, measures.get(name, 0.0))
            ),
            round(effect, 3),
        )
        for name, effect in strongest[:SHOWN]
        if abs(effect) >= LEAST
    ]
    typical = Feature("typical", 0, "a change as this project's changes are")
    return tuple(found) or (Reason(typical, 0.0),)


def _level(probability: float, levels: Mapping[str, float], settings: Settings) -> str:
    """Return the level: by the settings where somebody set them, else by the project's own."""
    chosen = {settings.source(f"risk.{name}").layer for name in ("medium", "high")}
    if chosen != {"default"}:
        return level_of(probability, settings)
    if probability >= levels["high"]:
        return "high"
    return "medium" if probability >= levels["medium"] else "low"
