"""What BuildKit did, from ``--progress=rawjson``: which steps were cached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from aipipe_build.record.timings import read_documents

_NAME = re.compile(r"^\[(?:(?P<stage>\S+) )? *\d+/\d+\] (?P<text>.*)$", re.DOTALL)
_PLATFORM = re.compile(r"^\[(?P<platform>\w+/\w+(?:/\w+)?(?:->\S+)?) ")


@dataclass(frozen=True, slots=True)
class Fact:
    """One step as it was built: ``cached`` or not, and an error where it failed."""

    stage: str
    instruction: str
    cached: bool
    error: str = ""


def read_facts(text: str) -> list[Fact]:
    """Return the RUN, COPY, ADD and WORKDIR steps in ``text``; FROM is none of them.

    Where a step shows as two vertices, a download and its copy, the copy speaks for it; the
    merge behind ``COPY --link`` belongs to its copy.
    """
    vertexes: dict[str, dict[str, Any]] = {}
    for document in read_documents(text):
        for vertex in document.get("vertexes") or ():
            vertexes.setdefault(vertex.get("digest", ""), {}).update(vertex)
    facts: dict[tuple[str, str], Fact] = {}
    for vertex in vertexes.values():
        found = _NAME.match(_PLATFORM.sub("[", str(vertex.get("name", ""))))
        if not found or found["text"].startswith(("FROM ", "LINK ")):
            continue
        key = (found["stage"] or "", found["text"])
        # A download reads no other vertex; its copy does.
        if key in facts and not vertex.get("inputs"):
            continue
        cached = bool(vertex.get("cached"))
        facts[key] = Fact(*key, cached, str(vertex.get("error") or ""))
    return list(facts.values())
