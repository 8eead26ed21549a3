"""A COPY from the context: what it takes, and where that ends up."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_build.keys.paths import absolute
from aipipe_build.optimise.situation import clean_source

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.optimise.situation import Situation, Step

_REMOTE = re.compile(r"(?:https?|git|ssh)://|git@")
_GLOB = re.compile(r"[*?\[\]$]")
_NEITHER = 2


@dataclass(frozen=True, slots=True)
class Copying:
    """One COPY or ADD of plain paths. ``folder`` is the absolute destination."""

    instruction: Instruction
    sources: tuple[str, ...]
    destination: str
    folder: str
    absolute: bool

    def context_path(self, path: str, situation: Situation) -> str:
        """Return the file of the context that lands at ``path`` in the image, "" for none."""
        for source in self.sources:
            cleaned = clean_source(source)
            if cleaned in situation.files:
                if self._lands(cleaned) == path:
                    return cleaned
                continue
            inner = posixpath.relpath(path, self.folder)
            if inner.startswith(".."):
                continue
            found = posixpath.normpath(posixpath.join(cleaned, inner))
            if found in situation.files:
                return found
        return ""

    def places(self, situation: Situation) -> tuple[str, ...]:
        """Return the paths of the image that it writes: files, and folders it pours into."""
        return tuple(
            self._lands(clean_source(source))
            if clean_source(source) in situation.files
            else self.folder
            for source in self.sources
        )

    def _lands(self, source: str) -> str:
        several = len(self.sources) > 1 or self.destination.endswith("/")
        if several or self.destination in (".", ".."):
            return posixpath.join(self.folder, posixpath.basename(source))
        return self.folder

    @property
    def is_broad(self) -> bool:
        """Whether it takes the whole context."""
        return any(not clean_source(source) for source in self.sources)


def copying_of(step: Step) -> Copying | None:
    """Return the COPY or ADD of a step; None for another instruction or one that is not plain."""
    one = step.instruction
    if one.keyword not in ("COPY", "ADD") or one.flag("from") is not None or one.heredocs:
        return None
    if len(one.args) < _NEITHER or one.flag("parents") is not None:
        return None
    *sources, destination = one.args
    if any(_REMOTE.match(source) or _GLOB.search(source) for source in sources):
        return None
    if "$" in destination:
        return None
    if one.keyword == "ADD" and any(re.search(r"\.(?:tar|tgz|[gxb]z2?)\b", s) for s in sources):
        return None
    return Copying(
        one,
        tuple(sources),
        destination,
        absolute(step.workdir, destination),
        destination.startswith("/"),
    )


def overlaps(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether two sets of paths meet: equal, or one inside the other."""
    return any(
        a == b or a.startswith(b.rstrip("/") + "/") or b.startswith(a.rstrip("/") + "/")
        for a in one
        for b in other
    )
