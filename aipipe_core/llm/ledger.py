"""The ledger: one entry for each call, whatever its outcome, and what they add up to."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aipipe_core.errors import SurroundingsError
from aipipe_core.llm.caps import Caps, Spent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aipipe_core.store.store import Store

SPACE = "llm-ledger"
DAYS = "llm-days"
KEPT = 5000


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. ``outcome`` is ``answered``, ``stored``, ``replayed`` or the slug of a failure.

    ``cost`` is in US dollars, ``seconds`` by the wall; ``counted`` is False where the server
    gave no usage and the tokens are our bound.
    """

    purpose: str
    label: str
    tier: str
    model: str
    input: int
    cached: int
    output: int
    cost: float
    seconds: float
    outcome: str
    counted: bool = True
    at: float = 0.0


class Ledger:
    """Keeps this run's entries in memory and all of them in the store, where there is one."""

    def __init__(self, caps: Caps | None = None, store: Store | None = None) -> None:
        self.caps = caps or Caps()
        self.entries: list[Entry] = []
        self._store = store
        self._lock = threading.Lock()
        self._open: dict[int, Spent] = {}  # what calls that have not ended may take
        self._ticket = 0

    def begin(self, coming: Spent) -> int:
        """Set ``coming`` aside for a call; raise ``ModelError`` where a cap forbids it."""
        with self._lock:
            waiting = sum(self._open.values(), Spent())
            self.caps.check(self.spent() + waiting, self.today() + waiting, coming)
            self._ticket += 1
            self._open[self._ticket] = coming
            return self._ticket

    def end(self, ticket: int | None, entry: Entry) -> None:
        """Write down how a call ended; ``ticket`` None is one that took nothing."""
        with self._lock:
            if ticket is not None:
                self._open.pop(ticket, None)
            self.entries.append(entry)
            self._keep(entry)

    def spent(self) -> Spent:
        """Return what this run took so far."""
        return Spent(
            sum(one.cost for one in self.entries),
            sum(one.input + one.output for one in self.entries if _took(one)),
        )

    def today(self) -> Spent:
        """Return what all runs of this project took today (UTC)."""
        if self._store is None:
            return self.spent()
        try:
            found = self._store.get(DAYS, _day()) or {}
        except SurroundingsError:
            return self.spent()
        return Spent(float(found.get("cost", 0.0)), int(found.get("tokens", 0)))

    def summary(self) -> dict[str, Any]:
        """Return the totals as the report has them."""
        return summary_of(self.entries)

    def _keep(self, entry: Entry) -> None:
        if self._store is None:
            return
        try:
            if _took(entry) and entry.outcome != "replayed":
                self._store.update(DAYS, _day(), lambda old: _added(old, entry))
            self._store.put(SPACE, f"{entry.at:.6f}-{uuid4().hex[:8]}", asdict(entry))
        except SurroundingsError:
            self._store = None  # the run's own entries stay; the day's cannot be known


def entries_of(store: Store) -> Iterator[Entry]:
    """Yield the entries that a store holds, oldest first."""
    for _, value in store.iter(SPACE):
        yield Entry(**value)


def summary_of(entries: Iterable[Entry]) -> dict[str, Any]:
    """Return calls, tokens, money and seconds, in all and by purpose and outcome."""
    found = list(entries)
    asked = [one for one in found if _took(one)]
    return {
        "calls": len(asked),
        "input_tokens": sum(one.input for one in asked),
        "output_tokens": sum(one.output for one in asked),
        "cached_tokens": sum(one.cached for one in asked),
        "cost_usd": round(sum(one.cost for one in asked), 6),
        "seconds": round(sum(one.seconds for one in asked), 3),
        "from_store": sum(one.outcome in ("stored", "replayed") for one in found),
        "ledger": [_row(one) for one in found],
    }


def _row(entry: Entry) -> dict[str, Any]:
    row = asdict(entry)
    row.pop("at")
    return {**row, "cost": round(entry.cost, 6), "seconds": round(entry.seconds, 3)}


def _took(entry: Entry) -> bool:
    # A replayed call counts in its run, so that a run that is replayed ends as it did.
    return entry.outcome != "stored"


def _added(old: Any, entry: Entry) -> dict[str, Any]:
    before = old or {}
    return {
        "cost": float(before.get("cost", 0.0)) + entry.cost,
        "tokens": int(before.get("tokens", 0)) + entry.input + entry.output,
        "calls": int(before.get("calls", 0)) + 1,
    }


def _day() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
