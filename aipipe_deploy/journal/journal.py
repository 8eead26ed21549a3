"""The journal's file: releases, moves and the lease, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

from aipipe_deploy.journal import lease as leases
from aipipe_deploy.journal.lease import Lease, Owner
from aipipe_deploy.journal.model import Entry, Release, State
from aipipe_deploy.journal.schema import drop_ballast, failed, hold_ballast, opened
from aipipe_deploy.release.moves import Move
from aipipe_deploy.targets.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_COLUMNS = "id, strategy, reason, state, started, ended, previous, outcome, units, before, details"

_TAKE = """
INSERT INTO lease VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET
    token = excluded.token, host = excluded.host, boot = excluded.boot, pid = excluded.pid,
    born = excluded.born, expires = excluded.expires
WHERE lease.token = excluded.token - 1"""
_SET_STATE = """
UPDATE releases SET state = ?, ended = ?, outcome = CASE ? WHEN '' THEN outcome ELSE ? END
WHERE id = ?"""
_TURN = """
UPDATE releases SET state = 'rolling-back', ended = NULL, outcome = ?
WHERE id = ? AND state NOT IN ('rolling-back', 'rolled-back')"""
_MARK = """
UPDATE moves SET state = ?, at = ?, token = ?, note = ?
WHERE release = ? AND back = ? AND seq = ?"""

_BEGIN_BACK = """
UPDATE moves SET state = 'begun', at = ?, token = ?
WHERE release = ? AND back = 1 AND seq = 0 AND state = 'planned'"""


class Journal:
    """One project's journal. All writes but the lease's own need the lease.

    Raises ``SurroundingsError``: ``journal-failed``, ``journal-newer``, ``disk-full``,
    ``release-under-way``, ``lease-lost``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self._ballast = folder / "ballast"
        self._db = opened(self.path)
        self._mutex = threading.Lock()
        self._token = 0

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # The lease

    def lease(self) -> Lease:
        """Take the lease, from a dead owner at once."""
        owner = Owner.me()
        row = self._one("SELECT token, host, boot, pid, born, expires FROM lease")
        token = 1
        if row:
            token = int(row[0]) + 1
            holder = Owner(*row[1:5])
            left = float(row[5]) - leases.uptime()
            alive = 0 < left <= leases.SECONDS and not holder.is_dead()
            if alive and holder != owner:
                raise leases.taken(holder, left)
        values = (token, owner.host, owner.boot, owner.pid, owner.born)
        # Whoever read the same row and was quicker has changed the token: then nothing is written.
        done = self._write(
            [
                (
                    _TAKE,
                    (*values, leases.uptime() + leases.SECONDS),
                )
            ]
        )
        if not done:
            raise leases.taken(owner, leases.SECONDS)
        self._token = token
        hold_ballast(self._ballast)
        return Lease(token, self._renew, self._give_up)

    def _renew(self) -> None:
        self._write(
            [
                (
                    "UPDATE lease SET expires = ? WHERE token = ?",
                    (leases.uptime() + leases.SECONDS, self._token),
                )
            ]
        )

    def _give_up(self) -> None:
        self._write([("UPDATE lease SET expires = 0 WHERE token = ?", (self._token,))])

    # Releases

    def next_id(self) -> int:
        """The number that the next release gets."""
        row = self._one("SELECT MAX(id) FROM releases")
        return int((row and row[0]) or 0) + 1

    def last(self) -> Release | None:
        """The newest release, whatever became of it."""
        found = self.history(limit=1)
        return found[0] if found else None

    def serving(self) -> Release | None:
        """The newest release that was carried through and not undone."""
        row = self._one(
            f"SELECT {_COLUMNS} FROM releases WHERE state = 'done' ORDER BY id DESC LIMIT 1"  # noqa: S608 - constants
        )
        return _release(row) if row else None

    def history(self, *, limit: int = 20) -> list[Release]:
        """The newest releases, the newest first."""
        rows = self._all(f"SELECT {_COLUMNS} FROM releases ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608 - constants
        return [_release(row) for row in rows]

    def begin(self, release: Release, moves: Sequence[Move]) -> None:
        """Write a release down, with all the moves that it will make."""
        self._fenced(
            [
                (
                    f"INSERT INTO releases ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
                    _row(release),
                ),
                *_planned(release.id, moves, back=False),
            ]
        )

    def state(self, release: int, state: State, outcome: str = "") -> None:
        """Set where a release stands; one that ends gets its time."""
        ended = None if state.is_open else time.time()
        self._fenced(
            [
                (
                    _SET_STATE,
                    (state, ended, outcome, outcome, release),
                )
            ]
        )

    def turn_back(self, release: int, moves: Sequence[Move], outcome: str) -> None:
        """Decide on the way back, once and for all, and write down its moves.

        The first one counts as begun: between a verdict and the traffic's turn there is time
        for one write to the disk, not for two.
        """
        self._fenced(
            [
                (
                    _TURN,
                    (outcome, release),
                ),
                *_planned(release, moves, back=True),
                (_BEGIN_BACK, (time.time(), self._token, release)),
            ]
        )

    # Moves

    def entries(self, release: int) -> list[Entry]:
        """All moves of a release, those of its rollback last."""
        rows = self._all(
            "SELECT seq, back, kind, params, state, note, at FROM moves WHERE release = ?"
            " ORDER BY back, seq",
            (release,),
        )
        return [
            Entry(seq, bool(back), Move(kind, json.loads(params)), state, note, at)
            for seq, back, kind, params, state, note, at in rows
        ]

    def mark(self, release: int, entry: Entry, state: str, note: str = "") -> None:
        """Set the state of one move."""
        self._fenced(
            [
                (
                    _MARK,
                    (state, time.time(), self._token, note, release, entry.back, entry.seq),
                )
            ]
        )

    # The file

    def _one(self, sql: str, values: Sequence[object] = ()) -> Any:
        found = self._all(sql, values)
        return found[0] if found else None

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            with self._mutex:
                return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise failed(error, self.path) from error

    def _fenced(self, statements: Iterable[tuple[str, Sequence[object]]]) -> None:
        self._write(statements, fenced=True)

    def _write(
        self, statements: Iterable[tuple[str, Sequence[object]]], *, fenced: bool = False
    ) -> int:
        """Carry out ``statements`` together; return how many rows the last one changed."""
        kept = list(statements)
        try:
            return self._transaction(kept, fenced=fenced)
        except (sqlite3.Error, OSError) as error:
            full = failed(error, self.path)
            if full.slug != "disk-full" or not drop_ballast(self._ballast):
                raise full from error
        try:
            return self._transaction(kept, fenced=fenced)
        except (sqlite3.Error, OSError) as error:
            raise failed(error, self.path) from error

    def _transaction(
        self, statements: Sequence[tuple[str, Sequence[object]]], *, fenced: bool
    ) -> int:
        changed = 0
        with self._mutex:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if fenced:
                    self._check_token()
                for sql, values in statements:
                    changed = self._db.execute(sql, values).rowcount
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        return changed

    def _check_token(self) -> None:
        """Raise where another runner has taken over since."""
        row = self._db.execute("SELECT token FROM lease").fetchone()
        if not row or row[0] != self._token:
            raise leases.lost()


def _planned(
    release: int, moves: Sequence[Move], *, back: bool
) -> list[tuple[str, Sequence[object]]]:
    return [
        (
            "INSERT OR IGNORE INTO moves (release, seq, back, kind, params) VALUES (?, ?, ?, ?, ?)",
            (release, seq, back, move.kind, json.dumps(move.params)),
        )
        for seq, move in enumerate(moves)
    ]


def _row(release: Release) -> tuple[object, ...]:
    def units(found: dict[str, Unit]) -> str:
        return json.dumps({name: unit.as_json() for name, unit in found.items()})

    return (
        release.id, release.strategy, release.reason, release.state, release.started,
        release.ended, release.previous, release.outcome,
        units(release.units), units(release.before), json.dumps(release.details),
    )  # fmt: skip


def _release(row: Sequence[Any]) -> Release:
    def units(text: str) -> dict[str, Unit]:
        return {name: Unit.from_json(record) for name, record in json.loads(text).items()}

    return Release(
        id=row[0], strategy=row[1], reason=row[2], state=State(row[3]), started=row[4],
        ended=row[5], previous=row[6], outcome=row[7],
        units=units(row[8]), before=units(row[9]), details=json.loads(row[10]),
    )  # fmt: skip
