"""The seconds of each step, from what ``--progress=rawjson`` printed."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_PREFIX = re.compile(r"^\[(?:\S+ )*? *\d+/\d+\] ")


def read_timings(path: Path) -> dict[str, float]:
    """Return instruction text to seconds; cached steps are left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RequestError(
            "timings-missing", f"the timings cannot be read: {error.strerror}", where=str(path)
        ) from error
    vertexes: dict[str, dict[str, Any]] = {}
    for document in read_documents(text):
        for vertex in document.get("vertexes") or ():
            vertexes.setdefault(vertex.get("digest", ""), {}).update(vertex)
    return dict(_seconds(vertexes))


def step_text(name: str) -> str | None:
    """Return the instruction of a vertex's name, None for one that is no step."""
    return name[found.end() :] if (found := _PREFIX.match(name)) else None


def read_documents(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents that follow each other in ``text``; stop at what is none."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        if isinstance(document, dict):
            yield document


def _seconds(vertexes: dict[str, dict[str, Any]]) -> Iterator[tuple[str, float]]:
    for vertex in vertexes.values():
        instruction = step_text(str(vertex.get("name", "")))
        seconds = seconds_of(vertex)
        if instruction and seconds is not None:
            yield instruction, seconds


def seconds_of(vertex: Mapping[str, Any]) -> float | None:
    """Return how long a vertex ran, None for one that was cached or did not end."""
    started, completed = vertex.get("started"), vertex.get("completed")
    if not started or not completed or vertex.get("cached"):
        return None
    return (_time(completed) - _time(started)).total_seconds()


def _time(text: str) -> datetime:
    # Nanoseconds are more than Python takes.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", text))
