"""What is known of a run while it goes: the state of each stage, kept after every step."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import Pipeline
    from aipipe.run.explain import Explanation
    from aipipe.run.folder import RunFolder

SCHEMA = 1
OVER = frozenset({"passed", "skipped"})
"""States after which whoever waited may start."""


@dataclass(slots=True)
class StageState:
    """One stage of a run; ``why`` is the reason of its state in words."""

    name: str
    state: str = "waiting"
    why: str = ""
    seconds: float = 0.0
    attempts: int = 0
    code: int | None = None
    key: str = ""
    log: str = ""
    bytes: int = 0
    left_out_bytes: int = 0
    explanation: Explanation | None = None

    def document(self) -> dict[str, Any]:
        """Return the stage's part of ``run.json``."""
        made = asdict(self)
        if self.explanation is None:
            del made["explanation"]
        else:
            made["explanation"] = self.explanation.document()
        made["seconds"] = round(self.seconds, 3)
        return made


@dataclass(slots=True)
class Record:
    """The run as ``run.json`` has it; ``save`` after every change keeps it true."""

    folder: RunFolder
    pipeline: Pipeline
    analysis: Analysis
    state: str = "running"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    stages: dict[str, StageState] = field(default_factory=dict)
    _begun: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for stage in self.pipeline.stages:
            self.stages.setdefault(stage.name, StageState(stage.name))

    def save(self) -> None:
        """Write ``run.json``."""
        with self._lock:
            self.folder.write("run", self.document())

    def document(self) -> dict[str, Any]:
        """Return ``run.json``."""
        analysis = self.analysis
        return {
            "schema": SCHEMA,
            "id": self.folder.name,
            "pipeline": self.pipeline.name,
            "state": self.state,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._begun, 3),
            "pid": os.getpid(),
            "base": analysis.change.base,
            "head": analysis.change.head,
            "level": analysis.risk.level,
            "probability": analysis.risk.probability,
            "route": asdict(analysis.route),
            "stages": [stage.document() for stage in self.stages.values()],
        }


def passed_before(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the key of each stage that a run's document says has passed."""
    return {
        stage["name"]: stage.get("key", "")
        for stage in document["stages"]
        if stage["state"] == "passed" and stage.get("key")
    }
