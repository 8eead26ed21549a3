"""The outbox: what was decided to be said, kept in SQLite until it is known to have arrived.

Events are written before they are digested and messages before they are sent, so a process
that dies loses neither. A row is marked as being sent before the sender is called: after a
crash in between, :meth:`Outbox.uncertain` names it, and the sender says whether it arrived.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import SurroundingsError
from aipipe_core.notify.event import Severity
from aipipe_core.notify.message import Action, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS digest (channel TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS groups (
    channel TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (channel, name));
CREATE TABLE IF NOT EXISTS alerts (
    channel TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (channel, name, fingerprint));
CREATE TABLE IF NOT EXISTS outbox (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, key TEXT NOT NULL,
    severity INTEGER NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued',
    attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS outbox_open ON outbox (state, channel, key);
CREATE TABLE IF NOT EXISTS handles (
    channel TEXT NOT NULL, key TEXT NOT NULL, handle TEXT NOT NULL, PRIMARY KEY (channel, key));
"""
Changes = tuple[dict[str, Any], dict[str, dict[str, Any] | None]]
"""A digest's index, and its changed groups by name with their changed alerts; None: it ended."""
Saved = tuple[dict[str, Any], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits, how often it was tried, and the handle of what it changes."""

    row: int
    message: Message
    attempts: int
    handle: str


class Outbox:
    """One file. Raises :class:`SurroundingsError` (``notify-store``) where it cannot be used."""

    def __init__(self, path: Path | str) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10.0)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise SurroundingsError(
                "notify-store",
                f"the notification store cannot be opened: {error}",
                where=str(path),
                hint="Check that the directory exists, can be written to, and has space.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def record(self, events: Iterable[dict[str, Any]]) -> None:
        """Keep events that are not yet part of a saved digest."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO inbox (event) VALUES (?)", [(json.dumps(e),) for e in events]
            )

    def save(self, changes: Mapping[str, Changes], messages: Iterable[Message]) -> None:
        """Keep the digests, queue their messages and forget the events they hold: all or none."""
        with self._transaction():
            for channel, (index, groups) in changes.items():
                self._db.execute(
                    "INSERT OR REPLACE INTO digest VALUES (?, ?)", (channel, json.dumps(index))
                )
                for name, state in groups.items():
                    self._keep_group(channel, name, state)
            for message in messages:
                self._queue(message)
            self._db.execute("DELETE FROM inbox")

    def load(self) -> tuple[dict[str, Saved], list[dict[str, Any]]]:
        """Return each channel's saved index and groups, and the events since."""
        states: dict[str, Saved] = {
            channel: (json.loads(state), [])
            for channel, state in self._db.execute("SELECT channel, state FROM digest")
        }
        for channel, state in self._db.execute("SELECT channel, state FROM groups ORDER BY rowid"):
            states[channel][1].append(json.loads(state))
        of_group = {
            (channel, group["name"]): group["alerts"]
            for channel, (_, groups) in states.items()
            for group in groups
        }
        for channel, name, key, state in self._db.execute(
            "SELECT channel, name, fingerprint, state FROM alerts ORDER BY rowid"
        ):
            of_group[channel, name][key] = json.loads(state)
        events = [json.loads(e) for (e,) in self._db.execute("SELECT event FROM inbox ORDER BY id")]
        return states, events

    def queue(self, message: Message) -> None:
        """Queue one message."""
        with self._transaction():
            self._queue(message)

    def waiting(self, now: float) -> list[Queued]:
        """Return what may be sent now: of each key the oldest, pages first."""
        rows = self._db.execute(
            "SELECT o.row, o.message, o.attempts, COALESCE(h.handle, '') FROM outbox o"
            " LEFT JOIN handles h ON h.channel = o.channel AND h.key = o.key"
            " WHERE o.state = 'queued' AND o.not_before <= ? AND NOT EXISTS ("
            "  SELECT 1 FROM outbox p WHERE p.channel = o.channel AND p.key = o.key"
            "  AND p.row < o.row AND p.state IN ('queued', 'sending'))"
            " ORDER BY o.severity >= ? DESC, o.row",
            (now, int(Severity.PAGE)),
        )
        return [Queued(r, Message.from_json(json.loads(m)), a, h) for r, m, a, h in rows]

    def uncertain(self) -> list[Queued]:
        """Return what was being sent when an earlier process died."""
        rows = self._db.execute(
            "SELECT row, message, attempts FROM outbox WHERE state = 'sending' ORDER BY row"
        )
        return [Queued(r, Message.from_json(json.loads(m)), a, "") for r, m, a in rows]

    def sending(self, queued: Queued) -> None:
        """Mark as about to be sent."""
        self._set(queued, "sending", "attempts = attempts + 1")

    def sent(self, queued: Queued, handle: str) -> None:
        """Mark as arrived; ``handle`` is what the receiver calls it."""
        message = queued.message
        with self._transaction():
            self._set(queued, "sent")
            if handle:
                self._db.execute(
                    "INSERT OR REPLACE INTO handles VALUES (?, ?, ?)",
                    (message.channel, message.key, handle),
                )

    def retry(self, queued: Queued, at: float, problem: str) -> None:
        """Try again at ``at``."""
        self._set(queued, "queued", "not_before = ?, problem = ?", at, problem)

    def refused(self, queued: Queued, problem: str) -> None:
        """Give up: the receiver will never take it."""
        self._set(queued, "refused", "problem = ?", problem)

    def counts(self) -> dict[str, int]:
        """How many messages are in which state."""
        return dict(self._db.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state"))

    def problems(self) -> list[str]:
        """One line for each message that was refused or still fails."""
        return [
            f"{channel}: {problem} ({state})"
            for channel, problem, state in self._db.execute(
                "SELECT channel, problem, state FROM outbox"
                " WHERE problem != '' AND state != 'sent' ORDER BY row"
            )
        ]

    def _keep_group(self, channel: str, name: str, state: dict[str, Any] | None) -> None:
        if state is None or not state["kept"]:
            # One that begins anew has nothing of an earlier one of its name.
            for table in ("groups", "alerts"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE channel = ? AND name = ?",  # noqa: S608
                    (channel, name),
                )
        if state is None:
            return
        # Updates keep the row: groups and alerts come back in the order in which they began.
        self._db.execute(
            "INSERT INTO groups VALUES (?, ?, ?)"
            " ON CONFLICT (channel, name) DO UPDATE SET state = excluded.state",
            (channel, name, json.dumps(state | {"alerts": {}})),
        )
        alerts = state["alerts"].items()
        self._db.executemany(
            "DELETE FROM alerts WHERE channel = ? AND name = ? AND fingerprint = ?",
            [(channel, name, key) for key, alert in alerts if alert is None],
        )
        self._db.executemany(
            "INSERT INTO alerts VALUES (?, ?, ?, ?)"
            " ON CONFLICT (channel, name, fingerprint) DO UPDATE SET state = excluded.state",
            [(channel, name, k, json.dumps(a)) for k, a in alerts if a is not None],
        )

    def _queue(self, message: Message) -> None:
        """Add a message; newer news replaces what waits under the same key and was not tried."""
        row = self._db.execute(
            "SELECT row, message FROM outbox WHERE channel = ? AND key = ? AND state = 'queued'"
            " AND attempts = 0 ORDER BY row DESC LIMIT 1",
            (message.channel, message.key),
        ).fetchone()
        if row is not None and message.action is not Action.RESOLVE:
            before = Message.from_json(json.loads(row[1]))
            if before.action is not Action.RESOLVE:
                record = message.as_json() | {"action": before.action.value}
                self._db.execute(
                    "UPDATE outbox SET id = ?, severity = MAX(severity, ?), message = ?"
                    " WHERE row = ?",
                    (message.id, int(message.severity), json.dumps(record), row[0]),
                )
                return
        self._db.execute(
            "INSERT OR IGNORE INTO outbox (id, channel, key, severity, message)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                message.id,
                message.channel,
                message.key,
                int(message.severity),
                json.dumps(message.as_json()),
            ),
        )

    def _set(self, queued: Queued, state: str, more: str = "", *values: Any) -> None:
        # `more` is one of this module's own texts, never data.
        also = f", {more}" if more else ""
        self._db.execute(
            f"UPDATE outbox SET state = ?{also} WHERE row = ?",  # noqa: S608
            (state, *values, queued.row),
        )

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    """All statements within, or none; writers of other processes wait."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")
