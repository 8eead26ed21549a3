"""Which test ran which lines and branches, keyed by the content of the file that was run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from aipipe_core.store.packing import (
    mark,
    pack_arcs,
    pack_lines,
    to_bytes,
    to_text,
    unpack_arcs,
    unpack_lines,
)
from aipipe_core.store.store import upsert
from aipipe_core.store.tables import contexts, digests, tests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aipipe_core.store.store import Store

_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one test ran of one file: 1-based lines, and arcs as coverage.py has them."""

    lines: frozenset[int] = frozenset()
    arcs: frozenset[tuple[int, int]] = frozenset()


class Contexts:
    """Coverage by (content digest of a file, node id of a test).

    A digest is any text that names a file's content. Node ids and digests are stored once.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def put(self, measured: Mapping[tuple[str, str], Coverage]) -> None:
        """Store what was measured, by (digest, node id), replacing what was known; all or none."""
        if not measured:
            return

        def work(connection: sa.Connection) -> None:
            of_digest = _intern(connection, digests, {digest for digest, _ in measured})
            of_test = _intern(connection, tests, {nodeid for _, nodeid in measured})
            now = time.time()
            rows = [
                {
                    "digest_id": of_digest[digest],
                    "test_id": of_test[nodeid],
                    "seen": now,
                    "lines": pack_lines(coverage.lines),
                    "arcs": pack_arcs(coverage.arcs),
                }
                for (digest, nodeid), coverage in measured.items()
            ]
            for start in range(0, len(rows), _CHUNK):
                upsert(connection, contexts, rows[start : start + _CHUNK])

        self.store.write(work)

    def replace(
        self, packed: Mapping[tuple[str, str], tuple[bytes, bytes]], nodeids: Collection[str]
    ) -> None:
        """Forget all about ``nodeids`` and store ``packed`` instead; all or none.

        ``packed`` has, by (digest, node id), lines and arcs as :class:`Coverage` is stored.
        """

        def work(connection: sa.Connection) -> None:
            of_test = _intern(connection, tests, set(nodeids))
            of_digest = _intern(connection, digests, {digest for digest, _ in packed})
            ids, now = list(of_test.values()), time.time()
            for start in range(0, len(ids), _CHUNK):
                mine = contexts.c.test_id.in_(ids[start : start + _CHUNK])
                connection.execute(contexts.delete().where(mine))
            rows = [
                {
                    "digest_id": of_digest[digest],
                    "test_id": of_test[nodeid],
                    "seen": now,
                    "lines": lines,
                    "arcs": arcs,
                }
                for (digest, nodeid), (lines, arcs) in packed.items()
            ]
            for start in range(0, len(rows), _CHUNK):
                connection.execute(contexts.insert(), rows[start : start + _CHUNK])

        self.store.write(work)

    def packed_of(self, digest: str, prefix: str = "") -> list[tuple[str, bytes, bytes]]:
        """Return node id, lines and arcs, as stored, of each test that ran this content.

        Only of those whose node ids begin with ``prefix``, which is left out of them.
        """
        query = _joined(tests.c.text).where(digests.c.mark == mark(to_bytes(digest)))
        rows = self.store.read(lambda connection: connection.execute(query).all())
        begin = to_bytes(prefix)
        start = len(begin)
        return [
            (str(text[start:], "utf-8", "surrogatepass"), bytes(lines), bytes(arcs))
            for text, lines, arcs in rows
            if text[:start] == begin
        ]

    def digests(self, prefix: str) -> list[str]:
        """Return the digests that begin with ``prefix`` and of which anything is known."""
        used = sa.exists().where(contexts.c.digest_id == digests.c.id)
        query = sa.select(digests.c.text).where(used)
        found = self.store.read(lambda connection: list(connection.execute(query).scalars()))
        return [text for text in map(to_text, found) if text.startswith(prefix)]

    def nodeids(self, prefix: str) -> list[str]:
        """Return the node ids that begin with ``prefix`` and of which anything is known."""
        used = sa.exists().where(contexts.c.test_id == tests.c.id)
        query = sa.select(tests.c.text).where(used)
        found = self.store.read(lambda connection: list(connection.execute(query).scalars()))
        return [text for text in map(to_text, found) if text.startswith(prefix)]

    def of_file(self, digest: str) -> dict[str, Coverage]:
        """Return, by node id, what each test ran of the file with this content."""
        query = _joined(tests.c.text).where(digests.c.mark == mark(to_bytes(digest)))
        return self._coverage(query)

    def of_test(self, nodeid: str) -> dict[str, Coverage]:
        """Return, by digest, what the test ran."""
        query = _joined(digests.c.text).where(tests.c.mark == mark(to_bytes(nodeid)))
        return self._coverage(query)

    def tests_touching(self, digest: str, lines: Collection[int]) -> set[str]:
        """Return the node ids of the tests that ran any of ``lines`` of this content."""
        wanted = frozenset(lines)
        return {
            test for test, ran in self.of_file(digest).items() if not wanted.isdisjoint(ran.lines)
        }

    def known(self, found: Iterable[str]) -> set[str]:
        """Return which of these digests the map has anything on."""
        wanted = {mark(to_bytes(digest)): digest for digest in found}
        marks = list(wanted)

        def work(connection: sa.Connection) -> set[str]:
            seen: set[str] = set()
            for start in range(0, len(marks), _CHUNK):
                query = (
                    sa.select(digests.c.mark)
                    .join(contexts, contexts.c.digest_id == digests.c.id)
                    .where(digests.c.mark.in_(marks[start : start + _CHUNK]))
                    .distinct()
                )
                seen.update(wanted[bytes(m)] for m in connection.execute(query).scalars())
            return seen

        return self.store.read(work)

    def forget_test(self, nodeid: str) -> None:
        """Remove everything about a test."""

        def work(connection: sa.Connection) -> None:
            one = sa.select(tests.c.id).where(tests.c.mark == mark(to_bytes(nodeid)))
            connection.execute(contexts.delete().where(contexts.c.test_id.in_(one)))
            connection.execute(tests.delete().where(tests.c.mark == mark(to_bytes(nodeid))))

        self.store.write(work)

    def prune(self, *, older_than: float) -> int:
        """Remove what was last measured more than ``older_than`` seconds ago; return how much."""

        def work(connection: sa.Connection) -> int:
            old = contexts.c.seen < time.time() - older_than
            gone = connection.execute(contexts.delete().where(old)).rowcount
            for table, column in ((digests, contexts.c.digest_id), (tests, contexts.c.test_id)):
                used = sa.select(column)
                connection.execute(table.delete().where(table.c.id.not_in(used)))
            return gone

        return self.store.write(work)

    def _coverage(self, query: sa.Select[Any]) -> dict[str, Coverage]:
        rows = self.store.read(lambda connection: connection.execute(query).all())
        return {
            to_text(row.text): Coverage(unpack_lines(row.lines), unpack_arcs(row.arcs))
            for row in rows
        }


def _joined(named: sa.Column[Any]) -> sa.Select[Any]:
    return (
        sa.select(named.label("text"), contexts.c.lines, contexts.c.arcs)
        .join(digests, contexts.c.digest_id == digests.c.id)
        .join(tests, contexts.c.test_id == tests.c.id)
    )


def _intern(connection: sa.Connection, table: sa.Table, texts: set[str]) -> dict[str, int]:
    """Return the id of each text, new ones included."""
    # Sorted: two writers that lock rows in the same order cannot lock each other out.
    named = sorted((mark(to_bytes(text)), text) for text in texts)
    ids: dict[str, int] = {}
    for start in range(0, len(named), _CHUNK):
        some = dict(named[start : start + _CHUNK])
        rows = [{"mark": key, "text": to_bytes(text)} for key, text in some.items()]
        upsert(connection, table, rows, replace=False)
        query = sa.select(table.c.mark, table.c.id).where(table.c.mark.in_(list(some)))
        ids.update({some[bytes(row.mark)]: row.id for row in connection.execute(query)})
    return ids
