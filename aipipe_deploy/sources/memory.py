"""Memory: a new version that is about to be killed for it is told before that happens.

The engine is asked in a thread of its own, for it takes seconds to answer. What it does not
answer is no fault of the version's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_deploy.targets.target import Memory
    from aipipe_deploy.targets.unit import Unit

FULL = 0.95
"""A container that uses this part of its limit, file caches not counted, is as good as dead."""
ROOMY = 0.85
"""Unless a container of the old version uses this part as well: then the limit is to blame."""
LOOKS = 3
"""So many looks in a row must show it."""
_EVERY = 5.0
_MEGA = 1024.0 * 1024.0


class Measures(Protocol):
    """Who knows what containers use."""

    def memory(self, *units: Unit) -> Mapping[str, Memory]:
        """Return use and limit by container; without those that nobody knows of."""


class MemoryWatch:
    """Looks at both versions every few seconds, from :meth:`start` to :meth:`stop`."""

    def __init__(self, target: Measures, old: Unit | None, new: Unit) -> None:
        self._target = target
        self._units = (old, new) if old else (new,)
        self._new = frozenset(member.name for member in new.members)
        self._row = 0
        self._over = threading.Event()
        self.finding = ""
        """What is wrong with the new version, "" while nothing is."""

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._run, name="memory", daemon=True).start()

    def stop(self) -> None:
        """End; a question that is on its way is not waited for: users may be waiting for us."""
        self._over.set()

    def look(self) -> None:
        """Ask once, and judge."""
        try:
            found = self._target.memory(*self._units)
        except (AipipeError, ValueError):
            return
        new = [name for name in found if name in self._new]
        full = [name for name in new if found[name].share >= FULL]
        roomy = all(found[name].share < ROOMY for name in found if name not in self._new)
        self._row = self._row + 1 if full and roomy else 0
        if self._row >= LOOKS and not self.finding:
            self.finding = _told(full, found)

    def _run(self) -> None:
        while not self._over.is_set():
            self.look()
            self._over.wait(_EVERY)


def _told(full: Sequence[str], found: Mapping[str, Memory]) -> str:
    name = full[0]
    used, limit = (value / _MEGA for value in (found[name].used, found[name].limit))
    return (
        f"the new version is about to be killed for its memory: {name} uses {used:.0f} of"
        f" {limit:.0f} MiB"
    )
