"""The map in the store: which test ran what of which content, and how it went.

Rows of coverage are kept by content (path and digest of a file) and by test; what else is
known of a test (verdict, seconds, files that it read) in one value for each test file.
A test's rows are replaced as a whole whenever it ran, and its verdict is written last: what
is cut short in between is a test without a verdict, which runs.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aipipe_core.store.contexts import Contexts
from pytest_aipipe.select import shelf
from pytest_aipipe.select.files import EVER
from pytest_aipipe.select.reader import read_mentions
from pytest_aipipe.select.watch import MODULE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from aipipe_core.store import Store
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.sink import Ran

TESTS = "selection-tests"
SOURCES = "selection-sources"
MENTIONS = "selection-mentions"
MODULES = "/modules"
KEPT_RUNS = 10
MAX_READS = 200


@dataclass(slots=True)
class Known:
    """What is known of one test: verdicts (``p``, ``f``, ``s``; the last is the latest).

    ``starts`` says whether it started other programs (:data:`pytest_aipipe.select.watch.UNKNOWN`
    and its neighbours), ``reads`` what it opened, with a slash at the end for folders; None for
    too many to tell.
    """

    verdicts: str = ""
    seconds: float = 0.0
    starts: int = 0
    reads: tuple[str, ...] | None = ()
    seen: int = 0

    def row(self) -> list[Any]:
        """Return plain values."""
        reads = None if self.reads is None else list(self.reads)
        return [self.verdicts, round(self.seconds, 5), self.starts, reads, self.seen]


@dataclass(slots=True)
class Fresh:
    """What a session found out: to be written."""

    tests: dict[str, Known] = field(default_factory=dict)
    ran: dict[str, Ran] = field(default_factory=dict)
    """By node id, and by the names of modules; node ids come with those of ``tests``."""
    reads: dict[str, list[str]] = field(default_factory=dict)
    """What each module read when it was imported."""


def digest_of(source: bytes) -> str:
    """Return the digest of a file's content."""
    return hashlib.blake2b(source, digest_size=12).hexdigest()


class TestMap:
    """Reads and writes the map of one environment."""

    __test__ = False

    def __init__(self, store: Store, env: str) -> None:
        self._store, self._env = store, env
        self._contexts = Contexts(store)

    def tests(self) -> dict[str, Known]:
        """Return everything that is known of each test, by node id."""
        found: dict[str, Known] = {}
        mine = f"{self._env}:"
        for key, rows in self._store.iter(TESTS):
            if key.startswith(mine):
                found.update((nodeid, _known(row)) for nodeid, row in rows.items())
        return found

    def reads(self) -> dict[str, list[str]]:
        """Return what each module of the project read when it was imported."""
        found = self._store.get(TESTS, f"{self._env}{MODULES}", {})
        return {str(who): list(map(str, paths)) for who, paths in found.items()}

    def contents(self) -> dict[str, list[str]]:
        """Return the digests that rows are kept of, by path."""
        found: dict[str, list[str]] = {}
        for text in self._contexts.digests(""):
            path, _, digest = text.rpartition("\n")
            found.setdefault(path, []).append(digest)
        return found

    def rows(self, path: str, digest: str) -> list[tuple[str, bytes, bytes]]:
        """Return who ran this content: node id or module, bitmaps of lines and of entries."""
        return self._contexts.packed_of(f"{path}\n{digest}", f"{self._env}:")

    def source(self, path: str, digest: str) -> bytes | None:
        """Return the content that a digest stands for."""
        found = self._store.get(SOURCES, f"{path}\n{digest}")
        return found if isinstance(found, bytes) else None

    def mentions(self, digest: str) -> Mentions | None:
        """Return what the content of a digest mentions, None where that is not recorded."""
        row = self._store.get(MENTIONS, f"{shelf.FORMAT}:{digest}")
        return None if row is None else shelf.unpacked(row)

    def write(self, fresh: Fresh, sources: Mapping[str, tuple[str, bytes]]) -> None:
        """Replace what is known of ``fresh``; ``sources`` are digest and content by path."""
        if not fresh.tests and not fresh.ran:
            return
        self._verdicts(dict.fromkeys(fresh.tests))
        self._keep_sources({path for ran in fresh.ran.values() for path in ran}, sources)
        packed = {}
        for who, ran in fresh.ran.items():
            for path, bitmaps in ran.items():
                if path in sources:
                    packed[f"{path}\n{sources[path][0]}", f"{self._env}:{who}"] = bitmaps
        self._contexts.replace(packed, {f"{self._env}:{who}" for who in fresh.ran})
        if fresh.reads:
            self._store.update(TESTS, f"{self._env}{MODULES}", partial(_read, new=fresh.reads))
        self._verdicts(fresh.tests)

    def forget(
        self, gone: Callable[[str], bool], deleted: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Forget the tests of which ``gone`` is true, and contents that no test ran.

        And the modules of which ``deleted`` is true, by their paths: what such a module ran of
        others would keep these others' old contents alive, and whoever differs from them.
        """
        by_file: dict[str, set[str]] = {}
        for nodeid in filter(gone, self.tests()):
            by_file.setdefault(nodeid.partition("::")[0], set()).add(nodeid)
        for path, some in by_file.items():
            self._store.update(TESTS, f"{self._env}:{path}", partial(_without, gone=some))
            self._contexts.replace({}, {f"{self._env}:{nodeid}" for nodeid in some})
        start = f"{self._env}:{MODULE}"
        modules = {who for who in self._contexts.nodeids(start) if deleted(who[len(start) :])}
        if modules:
            self._contexts.replace({}, modules)
            names = {who.removeprefix(f"{self._env}:") for who in modules}
            self._store.update(TESTS, f"{self._env}{MODULES}", partial(_without, gone=names))
        if by_file or modules:
            used = set(self._contexts.digests(""))
            for key in set(self._store.keys(SOURCES)) - used:
                self._store.delete(SOURCES, key)
            digests = {key.rpartition("\n")[2] for key in used}
            for key in self._store.keys(MENTIONS):
                if key.rpartition(":")[2] not in digests:
                    self._store.delete(MENTIONS, key)

    def _keep_sources(self, paths: Iterable[str], sources: Mapping[str, tuple[str, bytes]]) -> None:
        wanted = {
            f"{path}\n{sources[path][0]}": sources[path][1] for path in paths if path in sources
        }
        known = set(self._store.keys(SOURCES))
        self._store.put_many(SOURCES, {k: v for k, v in wanted.items() if k not in known})
        told = set(self._store.keys(MENTIONS))
        texts = {f"{shelf.FORMAT}:{key.rpartition(chr(10))[2]}": key for key in wanted}
        new = {mark: wanted[key] for mark, key in texts.items() if mark not in told}
        self._store.put_many(
            MENTIONS, {mark: shelf.packed(read_mentions(text)) for mark, text in new.items()}
        )

    def _verdicts(self, tests: Mapping[str, Known | None]) -> None:
        by_file: dict[str, dict[str, Known | None]] = {}
        for nodeid, known in tests.items():
            by_file.setdefault(nodeid.partition("::")[0], {})[nodeid] = known
        for path, some in by_file.items():
            self._store.update(TESTS, f"{self._env}:{path}", partial(_updated, new=some))


def _read(old: Any, new: Mapping[str, list[str]]) -> dict[str, Any]:
    rows = {**(old or {}), **new}
    if EVER in rows:
        rows[EVER] = sorted({*(old or {}).get(EVER, ()), *rows[EVER]})
    return rows


def _updated(old: Any, new: Mapping[str, Known | None]) -> dict[str, Any]:
    rows = dict(old or {})
    for nodeid, known in new.items():
        row = rows.get(nodeid)
        if known is None:
            if row is not None:  # remembered for the order, but not to be relied on
                rows[nodeid] = [f"{row[0]}?", *row[1:]]
            continue
        before = str(row[0]).replace("?", "") if row else ""
        rows[nodeid] = known.row()
        rows[nodeid][0] = (before + known.verdicts)[-KEPT_RUNS:]
    return rows


def _without(old: Any, gone: Collection[str]) -> dict[str, Any]:
    return {nodeid: row for nodeid, row in dict(old or {}).items() if nodeid not in gone}


def _known(row: Any) -> Known:
    try:
        verdicts, seconds, starts, reads, seen = row
        told = None if reads is None else tuple(map(str, reads)) if reads else ()
        return Known(str(verdicts), float(seconds), int(starts), told, int(seen))
    except (TypeError, ValueError):
        return Known()


def stamp() -> int:
    """Return the time, in seconds."""
    return int(time.time())
