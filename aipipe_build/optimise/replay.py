"""The last commits built again, with the old Dockerfile and with the new one.

Both start without a cache of their own (a step that only they have stands in front), so that
neither profits from what the builder knew. The first commit fills the cache and does not count.
"""

from __future__ import annotations

import shutil
import statistics
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.history import last_commits, repository_of
from aipipe_core.change.git import run
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aipipe_build.optimise.workshop import Workshop

_SOURCE = "aipipe-salt"


@dataclass(frozen=True, slots=True)
class Side:
    """One build of a commit: seconds, steps that ran, steps that were predicted to run."""

    seconds: float
    ran: int
    predicted: int
    steps: int

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``optimise.json`` has."""
        return {
            "seconds": self.seconds, "ran": self.ran, "predicted": self.predicted,
            "steps": self.steps,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One commit, built both ways."""

    commit: str
    before: Side
    after: Side


@dataclass(slots=True)
class Replay:
    """All commits that could be built both ways; ``skipped`` says why others could not."""

    rows: list[Row] = field(default_factory=list)
    first: Row | None = None
    skipped: list[str] = field(default_factory=list)

    @property
    def before(self) -> float:
        """Seconds of all rebuilds with the old Dockerfile."""
        return round(sum(row.before.seconds for row in self.rows), 3)

    @property
    def after(self) -> float:
        """Seconds of all rebuilds with the new one."""
        return round(sum(row.after.seconds for row in self.rows), 3)

    @property
    def slower(self) -> bool:
        """Whether the new one is clearly slower: by a tenth, and by half a second a build."""
        return bool(self.rows) and self.after > self.before * 1.1 + 0.5 * len(self.rows)

    def median(self, side: Callable[[Row], Side]) -> float:
        """Return the median seconds of one side, 0 for no commits."""
        return (
            round(statistics.median(side(row).seconds for row in self.rows), 3)
            if self.rows
            else 0.0
        )

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``optimise.json`` has."""
        return {
            "commits": len(self.rows),
            "before_seconds": self.before,
            "after_seconds": self.after,
            "rows": [
                {"commit": row.commit, "before": row.before.as_json(), "after": row.after.as_json()}
                for row in self.rows
            ],
            "skipped": self.skipped,
        }


def replay(
    before: tuple[str, str | None],
    after: tuple[str, str | None],
    *,
    context: Path,
    count: int,
    workshop: Workshop,
    tell: Callable[[str], None],
) -> Replay:
    """Build the last ``count`` commits with both (Dockerfile, ignore file) and time them."""
    found = Replay()
    place = repository_of(context)
    commits = last_commits(context, count + 1)
    if place is None or len(commits) < 2:  # noqa: PLR2004 - one to begin with, one to rebuild
        found.skipped.append("there is no history of this context to replay")
        return found
    top, inner = place
    clone = workshop.folder / "clone"
    try:
        run(workshop.folder, "clone", "--quiet", "--shared", "--no-checkout", str(top), str(clone))
        sides = (_Salted(workshop, before, "before"), _Salted(workshop, after, "after"))
        for commit in commits:
            _one(found, commit, clone, clone / inner, sides)
            tell(f"replayed {commit[:10]} ({len(found.rows)} of {len(commits) - 1})")
    except AipipeError as error:
        found.skipped.append(str(error))
    finally:
        shutil.rmtree(clone, ignore_errors=True)
    return found


def _one(
    found: Replay, commit: str, clone: Path, context: Path, sides: tuple[_Salted, _Salted]
) -> None:
    run(clone, "checkout", "--quiet", "--force", "--detach", commit)
    if not context.is_dir():
        found.skipped.append(f"{commit[:10]}: it has no such context")
        return
    try:
        row = Row(commit, sides[0].build(context), sides[1].build(context))
    except AipipeError as error:
        found.skipped.append(f"{commit[:10]}: {error.what}"[:300])
        return
    if found.first is None:
        found.first = row
    else:
        found.rows.append(row)


class _Salted:
    """One side, with a step in front of each stage that nobody else's cache has."""

    def __init__(self, workshop: Workshop, files: tuple[str, str | None], label: str) -> None:
        self._workshop = workshop
        self._label = f"replay-{label}"
        self._ignore = files[1] if files[1] is not None else ""
        self._folder = workshop.folder / f"salt-{label}"
        self._folder.mkdir(exist_ok=True)
        (self._folder / "salt").write_text(uuid.uuid4().hex, encoding="ascii")
        self._text = salted(files[0])

    def build(self, context: Path) -> Side:
        """Build one commit."""
        built = self._workshop.build(
            self._text,
            self._ignore,
            label=self._label,
            context=context,
            sources={_SOURCE: self._folder},
        )
        steps = built.outcome.steps
        return Side(
            built.outcome.seconds,
            ran=sum(step.fact == "ran" for step in steps),
            predicted=sum(step.verdict != "hit" for step in steps),
            steps=len(steps),
        )


def salted(text: str) -> str:
    """Return a Dockerfile whose stages all begin with a layer of this replay's own."""
    dockerfile = parse_dockerfile(text)
    names = {stage.name for stage in dockerfile.stages if stage.name}
    draft = Draft(dockerfile)
    for stage in dockerfile.stages:
        if stage.base.lower() not in names:
            draft.insert_after(stage.instruction, f"COPY --from={_SOURCE} salt /.aipipe-salt")
    return draft.text()
