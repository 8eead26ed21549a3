"""What an optimisation came to, as a document."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe_build.optimise.proposal import Status

if TYPE_CHECKING:
    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.proposal import Judged
    from aipipe_build.optimise.replay import Replay

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Measure:
    """An image's size in bytes, unpacked, and how many layers hold it."""

    size: int
    layers: int
    efficiency: float

    @classmethod
    def of(cls, image: Image) -> Measure:
        """Measure an image."""
        return cls(image.size, len(image.layers), round(image.efficiency, 4))

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``optimise.json`` has."""
        return {"size": self.size, "layers": self.layers, "efficiency": self.efficiency}


@dataclass(slots=True)
class Outcome:
    """Everything that an optimisation has to say."""

    dockerfile: str
    ignore_file: str
    target: str
    before: Measure
    after: Measure
    limit: int
    smoke: str
    text_before: str
    text_after: str
    ignore_before: str | None
    ignore_after: str | None
    judged: list[Judged] = field(default_factory=list)
    replay: Replay | None = None
    written: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything was proven."""
        return self.text_before != self.text_after or self.ignore_before != self.ignore_after

    def rewritten(self) -> list[str]:
        """Return the names of the files that a rewrite changes."""
        names = [self.dockerfile] if self.text_before != self.text_after else []
        return names + ([self.ignore_file] if self.ignore_before != self.ignore_after else [])

    @property
    def fits(self) -> bool:
        """Whether the image is within its limit. 0 is no limit."""
        return not self.limit or self.after.size <= self.limit

    @property
    def worth_it(self) -> bool:
        """Whether nothing got clearly slower for it."""
        return self.replay is None or not self.replay.slower

    def diff(self) -> str:
        """Return what would be written, as a unified diff."""
        return _diff(self.dockerfile, self.text_before, self.text_after) + _diff(
            self.ignore_file, self.ignore_before or "", self.ignore_after or ""
        )

    def as_json(self) -> dict[str, Any]:
        """Return ``optimise.json``."""
        return {
            "schema": SCHEMA,
            "dockerfile": self.dockerfile,
            "target": self.target,
            "changed": self.changed,
            "written": self.written,
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "limit": {"bytes": self.limit, "passed": self.fits},
            "smoke": self.smoke,
            "proposals": [one.as_json() for one in self.judged],
            "replay": None if self.replay is None else self.replay.as_json(),
            "diff": self.diff().encode("utf-8", "backslashreplace").decode(),
        }

    def proven(self) -> list[Judged]:
        """Return what was accepted."""
        return [one for one in self.judged if one.status is Status.PROVEN]


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
