"""Values under keys, in spaces. One store may be used by several threads and processes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from aipipe_core.errors import SurroundingsError
from aipipe_core.store.engine import WRITE, is_corrupt
from aipipe_core.store.packing import mark, pack, to_bytes, to_text, unpack
from aipipe_core.store.tables import entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aipipe_core.findings.model import Finding

T = TypeVar("T")
_CHUNK = 500


class Opened(Protocol):
    """Opens the database again after its file was set aside."""

    def __call__(self, damaged: BaseException) -> tuple[sa.Engine, Finding] | None:
        """Return a fresh engine and what to report, ``None`` where nothing can be done."""


class Store:
    """A keyed table of values: bytes, or anything that JSON can hold.

    Make it with ``open_store``. ``findings`` holds what went wrong and was got over (a
    damaged file that was set aside, a folder that cannot be written to). Methods raise
    ``SurroundingsError`` (``store-failed``) when the database fails.
    """

    def __init__(
        self, engine: sa.Engine, findings: Iterable[Finding] = (), reopen: Opened | None = None
    ) -> None:
        self.engine = engine
        self.findings = list(findings)
        self._reopen = reopen

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def put(self, space: str, key: str, value: Any) -> None:
        """Store ``value``, replacing what was there."""
        self.put_many(space, {key: value})

    def put_many(self, space: str, values: Mapping[str, Any]) -> None:
        """Store all values or none."""
        rows = [_row(space, key, value) for key, value in values.items()]

        def work(connection: sa.Connection) -> None:
            for start in range(0, len(rows), _CHUNK):
                upsert(connection, entries, rows[start : start + _CHUNK])

        if rows:
            self.write(work)

    def get(self, space: str, key: str, default: Any = None) -> Any:
        """Return the value under ``key``, or ``default``."""
        row = self.read(lambda connection: _fetch(connection, space, key))
        return default if row is None else unpack(row.form, row.value)

    def update(self, space: str, key: str, change: Callable[[Any], Any]) -> Any:
        """Replace the value (``None`` where there is none) by ``change`` of it, atomically.

        Returns the new value. No other writer comes between; ``change`` may run twice.
        """

        def work(connection: sa.Connection) -> Any:
            lock(connection, f"{space}\0{key}")
            row = _fetch(connection, space, key)
            new = change(None if row is None else unpack(row.form, row.value))
            upsert(connection, entries, [_row(space, key, new)])
            return new

        return self.write(work)

    def delete(self, space: str, key: str) -> bool:
        """Remove the value; return whether there was one."""
        where = (entries.c.space == space) & (entries.c.mark == mark(to_bytes(key)))
        return bool(self.write(lambda c: c.execute(entries.delete().where(where)).rowcount))

    def prune(self, space: str, *, older_than: float = 0.0, keep: int | None = None) -> int:
        """Remove values older than ``older_than`` seconds, and all but the newest ``keep``.

        A value is as old as its last put; 0 sets no age. Returns how many were removed.
        """

        def work(connection: sa.Connection) -> int:
            gone = 0
            mine = entries.c.space == space
            if older_than:
                old = mine & (entries.c.created < time.time() - older_than)
                gone += connection.execute(entries.delete().where(old)).rowcount
            if keep is not None:
                query = sa.select(entries.c.mark).where(mine)
                newest_first = query.order_by(entries.c.created.desc(), entries.c.mark)
                marks = list(connection.execute(newest_first).scalars())[keep:]
                for start in range(0, len(marks), _CHUNK):
                    some = mine & entries.c.mark.in_(marks[start : start + _CHUNK])
                    gone += connection.execute(entries.delete().where(some)).rowcount
            return gone

        return self.write(work)

    def iter(self, space: str) -> Iterator[tuple[str, Any]]:
        """Yield keys and values, oldest first, as they were at the start."""
        query = (
            sa.select(entries.c.key, entries.c.form, entries.c.value)
            .where(entries.c.space == space)
            .order_by(entries.c.created, entries.c.mark)
        )
        for row in self.read(lambda connection: connection.execute(query).all()):
            yield to_text(row.key), unpack(row.form, row.value)

    def keys(self, space: str) -> list[str]:
        """Return the keys of a space, oldest first."""
        query = (
            sa.select(entries.c.key)
            .where(entries.c.space == space)
            .order_by(entries.c.created, entries.c.mark)
        )
        found = self.read(lambda connection: list(connection.execute(query).scalars()))
        return [to_text(key) for key in found]

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in one transaction that only reads."""
        return self._run(work, write=False)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in one transaction; it is undone as a whole when it raises."""
        return self._run(work, write=True)

    def _run(self, work: Callable[[sa.Connection], T], *, write: bool) -> T:
        try:
            with transaction(self.engine, write=write) as connection:
                return work(connection)
        except sa.exc.DatabaseError as error:
            fresh = self._reopen(error) if self._reopen and is_corrupt(error) else None
            if fresh is None:
                raise failed(error, self.place) from error
        self.engine.dispose()
        self.engine, finding = fresh
        self.findings.append(finding)
        self._reopen = None  # twice in a row is no accident
        return self._run(work, write=write)


@contextmanager
def transaction(engine: sa.Engine, *, write: bool) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that is committed at the end."""
    with engine.connect() as connection:
        options = connection.execution_options(**{WRITE: write})
        with options.begin():
            yield options


def failed(error: sa.exc.DatabaseError, place: str) -> SurroundingsError:
    """Return the failure of a database as an error of ours."""
    return SurroundingsError(
        "store-failed",
        f"The store failed: {str(error.orig or error).strip().splitlines()[0]}",
        where=place,
        hint="Check the disk's free space and the database's state, or name another store.",
    )


def lock(connection: sa.Connection, name: str) -> None:
    """Keep others who lock ``name`` waiting until the transaction ends.

    SQLite already has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(mark(to_bytes(name))[:8], "big", signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def upsert(
    connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], *, replace: bool = True
) -> None:
    """Insert rows, replacing (or keeping) those whose key or unique column is there already."""
    primary = [column.name for column in table.primary_key]
    name = connection.dialect.name
    if name in {"sqlite", "postgresql"}:
        make = sqlite.insert if name == "sqlite" else postgresql.insert
        statement = make(table)
        if replace:
            others = {c: statement.excluded[c] for c in rows[0] if c not in primary}
            connection.execute(
                statement.on_conflict_do_update(index_elements=primary, set_=others), rows
            )
        else:
            connection.execute(statement.on_conflict_do_nothing(), rows)
        return
    lock_columns = primary if replace else ["mark"]
    for row in rows:
        same = sa.and_(*(table.c[column] == row[column] for column in lock_columns))
        if replace:
            connection.execute(table.delete().where(same))
        elif connection.execute(sa.select(sa.literal(1)).select_from(table).where(same)).first():
            continue
        connection.execute(table.insert(), row)


def _row(space: str, key: str, value: Any) -> dict[str, Any]:
    form, data = pack(value)
    name = to_bytes(key)
    return {
        "space": space,
        "mark": mark(name),
        "key": name,
        "created": time.time(),
        "form": form,
        "value": data,
    }


def _fetch(connection: sa.Connection, space: str, key: str) -> Any:
    where = (entries.c.space == space) & (entries.c.mark == mark(to_bytes(key)))
    return connection.execute(sa.select(entries.c.form, entries.c.value).where(where)).first()
