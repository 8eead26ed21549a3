"""What BuildKit did, from ``--progress=rawjson``: which steps were cached."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe_build.record.timings import read_documents, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = re.compile(r"^\[(?:(?P<stage>\S+) )? *(?P<number>\d+/\d+)\] (?P<text>.*)$", re.DOTALL)
_PLATFORM = re.compile(r"^\[(?P<platform>\w+/\w+(?:/\w+)?(?:->\S+)?) ")


@dataclass(frozen=True, slots=True)
class Fact:
    """One step as it was built: ``cached`` or not, and an error where it failed.

    ``platform`` is empty unless several are built; ``seconds`` is None for a cached step.
    """

    stage: str
    instruction: str
    cached: bool
    error: str = ""
    platform: str = field(default="", compare=False)
    seconds: float | None = field(default=None, compare=False)


def read_facts(text: str) -> list[Fact]:
    """Return the RUN, COPY, ADD and WORKDIR steps in ``text``; FROM is none of them.

    Where a step shows as two vertices, a download and its copy, the copy speaks for it; the
    merge behind ``COPY --link`` belongs to its copy.
    """
    return facts_of(gather_vertexes(read_documents(text)))


def gather_vertexes(
    documents: Iterable[Mapping[str, Any]], vertexes: dict[str, dict[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return every vertex by its digest, with the last that was said of it.

    ``vertexes`` are those of earlier documents; they are added to.
    """
    vertexes = {} if vertexes is None else vertexes
    for document in documents:
        for vertex in document.get("vertexes") or ():
            vertexes.setdefault(vertex.get("digest", ""), {}).update(vertex)
    return vertexes


def facts_of(vertexes: Mapping[str, Mapping[str, Any]]) -> list[Fact]:
    """Return the steps among ``vertexes``."""
    facts: dict[tuple[str, ...], Fact] = {}
    for vertex in vertexes.values():
        name = str(vertex.get("name", ""))
        platform = _PLATFORM.match(name)
        found = _NAME.match(_PLATFORM.sub("[", name))
        if not found or found["text"].startswith(("FROM ", "LINK ")):
            continue
        shown = platform["platform"] if platform else ""
        # The number tells two steps of a stage apart that say the same.
        key = (shown, found["stage"] or "", found["text"], found["number"])
        # A download reads no other vertex; its copy does.
        if key in facts and not vertex.get("inputs"):
            continue
        facts[key] = Fact(
            stage=key[1],
            instruction=key[2],
            cached=bool(vertex.get("cached")),
            error=str(vertex.get("error") or ""),
            platform=shown,
            seconds=seconds_of(vertex),
        )
    return list(facts.values())
