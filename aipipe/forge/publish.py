"""Publish a run: comment, status, remarks, outputs. What fails is a finding, never an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe.forge.compose import compose, documents_of
from aipipe.forge.model import Request
from aipipe.forge.outputs import outputs_of, write_outputs, write_summary
from aipipe.forge.surroundings import Place, forge_for, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe.forge.compose import Told as Composed
    from aipipe.forge.model import Forge


def publish(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Tell the forge of the environment what the run in ``folder`` found.

    Returns one sentence for each thing that was done or could not be done. Raises only for a
    folder that holds no run (``run-empty``) or a broken document.
    """
    documents = documents_of(folder)
    composed = compose(documents)
    said = write_outputs(outputs_of(documents), environ)
    said += write_summary(composed.report, environ)
    place = place_of(environ)
    forge = forge_for(place)
    if forge is None:
        return [*said, f"Nothing was sent: {place.why}."]
    return [*said, *_tell(forge, place, composed)]


def _tell(forge: Forge, place: Place, composed: Composed) -> list[str]:
    said: list[str] = []
    if place.number:
        request = forge.request()
        if isinstance(request, Request) and place.sha and request.head != place.sha:
            moved = f"the branch moved to {request.head[:12]} meanwhile"
            return [f"Nothing was sent: {moved}, this run is about {place.sha[:12]}."]
        # Room for the mark by which the comment is found again.
        told = forge.comment(composed.comment(forge.comment_limit - 200))
        said.append("The comment is up to date." if told.done else f"No comment: {told.why}.")
    told = forge.annotate(composed.status, composed.annotations)
    if not told.done and place.kind == "github":
        said.append(f"No check run: {told.why}; a commit status instead.")
        told = forge.status(composed.status)
    said.append("The commit is marked." if told.done else f"No status: {told.why}.")
    return said
