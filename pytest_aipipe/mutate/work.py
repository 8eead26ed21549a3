"""What a child session is asked: the mutants as edits, and where its answers go."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.mutate.swap import real

if TYPE_CHECKING:
    from collections.abc import Iterable

_SLACK = 1.0
_TIMES = 8.0
LONGEST = 30.0
"""Seconds that a mutant may take at most, however slow its tests are."""


@dataclass
class Asked:
    """One mutant of the request."""

    ident: int
    path: str
    first: int
    last: int
    start: int
    end: int
    new: str

    def touched(self, lines: Iterable[tuple[str, int]]) -> bool:
        """Whether its statement is among ``lines``."""
        return any(p == self.path and self.first <= n <= self.last for p, n in lines)


@dataclass
class Work:
    """The request, and where its answers go."""

    answers: Path
    mutants: list[Asked]
    texts: dict[str, str]
    deadline: float
    jobs: int
    matrix: bool
    given: list[dict[str, str]] = field(default_factory=list)
    passing: dict[str, float] = field(default_factory=dict)
    later: list[int] = field(default_factory=list)
    excused: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Work:
        """Read the request from the file at ``path``."""
        asked = json.loads(path.read_text("utf-8"))
        texts = {real(p): text for p, text in asked["texts"].items()}
        mutants = [Asked(**{**m, "path": real(m["path"])}) for m in asked["mutants"]]
        # Coming up is part of the time: on a busy machine it is most of it.
        late = min(max(0.0, time.time() - asked["asked_at"]), asked["seconds"])
        deadline = time.monotonic() + asked["seconds"] - late
        where = Path(asked["answers"])
        return cls(
            where, mutants, texts, deadline, asked["jobs"], asked["matrix"], asked.get("given", [])
        )

    def answer(self, **said: Any) -> None:
        """Append one answer."""
        with self.answers.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")

    def mutated(self, mutant: Asked) -> str:
        """Return the whole text of ``mutant``."""
        text = self.texts[mutant.path]
        return text[: mutant.start] + mutant.new + text[mutant.end :]

    def limit(self, nodeids: Iterable[str]) -> float:
        """How long a mutant may take on these tests, in seconds."""
        usual = sum(self.passing.get(nodeid, 0.0) for nodeid in nodeids)
        return min(_SLACK + _TIMES * usual, LONGEST)
