"""What ran, by who ran it: the part of a measurement that becomes the map.

coverage.py hands over what it traced whenever the context changes. Lines of every file of
the project are kept here, packed; what the session's own measurement wants goes on to
coverage.py's data as before.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aipipe_core.store.packing import pack_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from coverage import Coverage

OUTSIDE = "<outside>"
"""Who runs what no test, fixture or module runs: hooks, collection."""

Ran = dict[str, tuple[bytes, bytes]]
"""By path: the bitmap of lines, and that of the functions entered (by first line)."""


class Sink:
    """Stands where coverage.py's collector puts its data.

    ``inside`` turns a real file name into the project's own path, or None. ``forward`` says
    of a file whether the measurement behind wants it as well.
    """

    def __init__(self, inside: Callable[[str], str | None], forward: Callable[[str], bool]) -> None:
        self._inside, self._forward = inside, forward
        self._data: Any = None
        self._paths: dict[str, str | None] = {}
        self._now: dict[str, tuple[set[int], set[int]]] = {}
        self._who = OUTSIDE
        self._over: list[str] = []
        self.ran: dict[str, Ran] = {}
        self.sources: dict[str, bytes] = {}

    def divert(self, coverage: Coverage) -> bool:
        """Take the place of ``coverage``'s data; False where this release has another build."""
        collector = getattr(coverage, "_collector", None)
        data = getattr(collector, "covdata", None)
        if collector is None or data is None or not hasattr(data, "add_arcs"):
            return False
        self._data = data
        collector.covdata = self
        return True

    @property
    def who(self) -> str:
        """Who runs now."""
        return self._over[-1] if self._over else self._who

    def over(self, who: str) -> None:
        """Let ``who`` run inside whoever runs; the caller flushes before."""
        self.keep()
        self._over.append(who)

    def back(self) -> None:
        """Go back from :meth:`over`; the caller flushes before."""
        self.keep()
        if self._over:
            self._over.pop()

    def keep(self) -> None:
        """Pack what was traced since the last change of who runs."""
        if not self._now:
            return
        mine = self.ran.setdefault(self.who, {})
        for path, (lines, entries) in self._now.items():
            old = mine.get(path, (b"", b""))
            mine[path] = both(old[0], pack_lines(lines)), both(old[1], pack_lines(entries))
        self._now = {}

    def add(self, who: str, file: str, lines: Iterable[int], entries: Iterable[int]) -> None:
        """Add what ``who`` ran of a real file elsewhere, in a process of its own."""
        if file not in self._paths:
            self._paths[file] = self._meet(file)
        path = self._paths[file]
        if path is not None:
            mine = self.ran.setdefault(who, {})
            old = mine.get(path, (b"", b""))
            mine[path] = both(old[0], pack_lines(lines)), both(old[1], pack_lines(entries))

    # What coverage.py's collector calls

    def set_context(self, context: str | None) -> Any:
        """Hear that the context changed: ``node id|phase``, or "" outside of tests."""
        self.keep()
        self._who = context.rpartition("|")[0] if context else OUTSIDE
        return self._data.set_context(context)

    def add_arcs(self, arcs: Mapping[str, Iterable[tuple[int, int]]]) -> None:
        """Keep what was traced."""
        wanted = {}
        for file, seen in arcs.items():
            if not seen:
                continue
            if file not in self._paths:
                self._paths[file] = self._meet(os.path.realpath(file))
            path = self._paths[file]
            if path is not None:
                lines, entries = self._now.setdefault(path, (set(), set()))
                for start, end in seen:
                    if end > 0:
                        lines.add(end)
                        if start < 0:
                            entries.add(-start)
                    if start > 0:
                        lines.add(start)
            if self._forward(file):
                wanted[file] = seen
        self._data.add_arcs(wanted)

    def _meet(self, file: str) -> str | None:
        """Return the project's path of a file, and keep its content: it may change as we run."""
        path = self._inside(file)
        if not path:
            return None
        try:
            with open(file, "rb") as stream:  # noqa: PTH123 - called while code is traced
                self.sources[path] = stream.read()
        except OSError:
            return None
        return path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def both(one: bytes, two: bytes) -> bytes:
    """Return the union of two bitmaps."""
    if not one or not two or one == two:
        return one or two
    size = max(len(one), len(two))
    union = int.from_bytes(one, "little") | int.from_bytes(two, "little")
    return union.to_bytes(size, "little")


def merged(one: Ran, two: Ran) -> Ran:
    """Return what either ran."""
    found = dict(one)
    for path, (lines, entries) in two.items():
        old = found.get(path, (b"", b""))
        found[path] = both(old[0], lines), both(old[1], entries)
    return found
