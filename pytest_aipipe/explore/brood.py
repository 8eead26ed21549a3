"""What a child is told of a brood: its material, and what is still open."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.explore.wire import Message
    from pytest_aipipe.generate.model import Brood, Gap, Outcome

ENDING = 6.0  # seconds for what comes after the last variation
BUSY = 4  # a brood counts processor time; other work may leave it this part of a processor


class OpenPieces:
    """The gaps' lines and branches that no trial of this explorer has reached."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self.pieces = {(gap.path, line, 0) for gap in gaps for line in gap.lines}
        self.pieces |= {(gap.path, *arc) for gap in gaps for arc in gap.branches}

    def see(self, outcome: Outcome) -> None:
        """Take off what an outcome reached."""
        if outcome.status not in {"passed", "failed", "raised"}:
            return
        for path, lines in outcome.lines.items():
            self.pieces -= {(path, line, 0) for line in lines}
        for path, arcs in outcome.arcs.items():
            self.pieces -= {(path, *arc) for arc in arcs}


def brood_message(brood: Brood, pieces: OpenPieces) -> Message:
    """Return what a brood's message has beyond a candidate's."""
    aims = {piece for piece, _ in brood.chains}
    return {
        "kind": "breed",
        "material": asdict(brood.material),
        "open": sorted(pieces.pieces | aims),
        "chains": [[list(piece), list(chain)] for piece, chain in brood.chains],
        "others": list(brood.others),
        "focus": [list(place) for place in brood.focus],
        "rounds": brood.rounds,
        "seconds": brood.seconds,
        "seed": brood.seed,
        "patience": brood.seconds * BUSY,
        "timeout": brood.seconds * BUSY + ENDING,
    }
