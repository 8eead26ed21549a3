"""The runner: makes a release's moves, turns back, and takes up what another one left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aipipe_core.errors import AipipeError
from aipipe_deploy.journal.model import Entry, Release, State
from aipipe_deploy.judge import Outcome
from aipipe_deploy.release.inverse import bars, way_back

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe_deploy.journal import Journal
    from aipipe_deploy.judge import Verdict
    from aipipe_deploy.release.moves import Move
    from aipipe_deploy.release.perform import Performer

_STANDING = ("prepare", "start", "ready", "join")
"""Moves that a resumed release makes again: the world may have lost what they did."""
_OVERTAKEN = ("lease-lost", "journal-failed", "disk-full")
"""Errors after which this runner must not act, or cannot write down what it would do."""


class Watcher(Protocol):
    """Watches new units beside old ones and gives a verdict."""

    def watch(self, release: Release, move: Move) -> Verdict:
        """Return once it is sure, or at the window's end."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a release ended, or where it stands."""

    release: int
    state: State
    text: str


@dataclass
class Runner:
    """Carries one release through. The caller holds the journal's lease."""

    journal: Journal
    performer: Performer
    watcher: Watcher
    unsure: str = "pass"
    tell: Callable[[str], None] = print

    def forward(self, release: Release, *, accept: bool = False) -> Ending:
        """Make all moves that are not done yet. ``accept`` passes over watches.

        A move that fails turns the release back; one past a point of no return freezes it.
        """
        entries = [e for e in self.journal.entries(release.id) if not e.back]
        notes: list[str] = []
        for entry in entries:
            if entry.state == "done":
                continue
            if entry.move.kind == "watch":
                if accept:
                    self.journal.mark(release.id, entry, "done", "accepted by hand")
                    continue
                ending = self._watched(release, entry, notes)
                if ending:
                    return ending
                continue
            try:
                self._make(release, entry)
            except AipipeError as error:
                return self._failed(release, error)
        self.journal.state(release.id, State.DONE, "; ".join(["done", *notes]))
        return Ending(release.id, State.DONE, f"release {release.id} serves")

    def back(self, release: Release, outcome: str) -> Ending:
        """Undo ``release``, traffic first; going on where an earlier attempt stopped.

        Where a job bars the way the release is frozen instead.
        """
        if release.state is not State.ROLLING_BACK:
            entries = self.journal.entries(release.id)
            barred = self._barred(entries)
            if barred:
                return self._freeze(release, outcome, barred)
            self.journal.turn_back(release.id, way_back(release, entries), outcome)
            self.tell(f"release {release.id} turns back: {outcome}")
        for entry in self.journal.entries(release.id):
            if entry.back and entry.state != "done":
                self._make(release, entry)
        self.journal.state(release.id, State.ROLLED_BACK)
        serving = self.journal.serving()
        now = f"release {serving.id} serves" if serving else "nothing serves, as before"
        return Ending(release.id, State.ROLLED_BACK, f"{outcome}; rolled back, {now}")

    def resume(self, release: Release, *, accept: bool = False) -> Ending:
        """Go on with ``release`` in its direction, from what is really there."""
        if release.state is State.ROLLING_BACK:
            self.performer.proxy.ensure()
            return self.back(release, release.outcome)
        self._restore(release)
        if release.state is not State.RUNNING:
            self.journal.state(release.id, State.RUNNING)
        return self.forward(release, accept=accept)

    def _restore(self, release: Release) -> None:
        """Make sure that what earlier moves did still stands; the traffic's last word as well."""
        entries = [e for e in self.journal.entries(release.id) if not e.back]
        begun = [e for e in entries if e.state != "planned"]
        gone = {e.move.params["service"] for e in begun if e.move.kind in ("leave", "stop")}
        shifts = [e.move for e in begun if e.move.kind == "shift"]
        self.tell(f"release {release.id}: looking at what is there")
        for entry in entries:
            if entry.state == "done" and entry.move.kind in _STANDING:
                self.performer.perform(release, entry.move)
        if shifts and not gone:
            self.performer.perform(release, shifts[-1])

    def _make(self, release: Release, entry: Entry) -> None:
        self.tell(f"  {entry.move}")
        if entry.state == "planned":
            self.journal.mark(release.id, entry, "begun")
        self.performer.perform(release, entry.move)
        self.journal.mark(release.id, entry, "done")

    def _watched(self, release: Release, entry: Entry, notes: list[str]) -> Ending | None:
        """Watch; return an ending unless the release goes on."""
        self.journal.mark(release.id, entry, "begun")
        self.tell(f"  {entry.move}")
        try:
            verdict = self.watcher.watch(release, entry.move)
        except AipipeError as error:
            return self._failed(release, error)
        text = f"{verdict.outcome.value} after {verdict.t:.1f} s: {verdict.reason}"
        sure = verdict.outcome is not Outcome.INCONCLUSIVE
        if verdict.outcome is Outcome.FAIL or (not sure and self.unsure == "rollback"):
            return self.back(release, text)
        self.tell(f"    {text}")
        if not sure and self.unsure == "hold":
            self.journal.state(release.id, State.HELD, text)
            return Ending(
                release.id, State.HELD,
                f"{text}. aipipe-deploy resume --accept goes on, rollback goes back",
            )  # fmt: skip
        self.journal.mark(release.id, entry, "done", text)
        notes.append(text)
        return None

    def _failed(self, release: Release, error: AipipeError) -> Ending:
        if error.slug in _OVERTAKEN:
            raise error
        return self.back(release, str(error))

    def _barred(self, entries: Sequence[Entry]) -> list[str]:
        """Names of irreversible jobs that were really started."""
        from aipipe_deploy.targets.unit import JobRun

        names = []
        for move in bars(entries):
            job = JobRun.from_json(move.params["job"])
            done = any(e.move == move and e.state == "done" for e in entries)
            if done or self.performer.target.job_began(job):
                names.append(job.name)
        return names

    def _freeze(self, release: Release, outcome: str, jobs: list[str]) -> Ending:
        text = (
            f"{outcome}. Release {release.id} is past {', '.join(jobs)}, which cannot be undone:"
            " it is frozen, and traffic stays where it is"
        )
        self.journal.state(release.id, State.FROZEN, text)
        return Ending(
            release.id, State.FROZEN,
            f"{text}. aipipe-deploy resume goes on with it (--accept: without a watch)",
        )  # fmt: skip
