"""The calibrated model on disk: ``.aipipe/past/model.json``, with the scores it earned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe.calibrate.model import RiskModel, read_model
from aipipe_core.documents import read_document, write_document
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NAME = "model.json"
DOCUMENT = "model"


@dataclass(frozen=True, slots=True)
class Kept:
    """A model with the commit it was fitted at, and what is known of how good it is."""

    model: RiskModel
    head: str
    fitted: str
    scores: Mapping[str, Any] = field(default_factory=dict)
    shapes: Mapping[str, float] = field(default_factory=dict)
    """The typical value of each measure when it was fitted, to tell drift by."""
    levels: Mapping[str, float] = field(default_factory=dict)
    """The probability from which a change is medium, and high."""
    curve: Sequence[Sequence[float]] = ()
    """How its probabilities came true on the held-out part: predicted, observed, how many."""


def save(kept: Kept, folder: Path) -> None:
    """Keep the model; raises as ``write_document`` does."""
    document = {
        "schema": 1,
        "head": kept.head,
        "fitted": kept.fitted,
        "scores": dict(kept.scores),
        "shapes": {name: round(value, 4) for name, value in kept.shapes.items()},
        "levels": dict(kept.levels),
        "curve": [[round(a, 4), round(b, 4), n] for a, b, n in kept.curve],
        "model": kept.model.document(),
    }
    write_document(folder / NAME, DOCUMENT, document)


def load(folder: Path) -> Kept | None:
    """Return the kept model; None where there is none that can be read."""
    try:
        found = read_document(folder / NAME, DOCUMENT)
    except AipipeError:
        return None
    return Kept(
        read_model(found["model"]),
        found["head"],
        found["fitted"],
        found["scores"],
        found["shapes"],
        found["levels"],
        found.get("curve", ()),
    )
