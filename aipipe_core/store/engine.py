"""Database engines: SQLite so that several processes can write, anything else as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    from pathlib import Path

BUSY_SECONDS = 30
WRITE = "aipipe_write"
"""The execution option of a connection that is going to write."""


def sqlite_engine(path: Path | None) -> sa.Engine:
    """Return an engine on the file ``path``, or in memory where it is ``None``."""
    if path is None:
        engine = sa.create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        url = sa.URL.create("sqlite", database=str(path))
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    # Transactions begin where we say so: the driver would begin one only at the first
    # write, and a reader that turns into a writer then fails at once instead of waiting.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _on_begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def is_corrupt(error: BaseException) -> bool:
    """Return whether ``error`` says that a SQLite file is damaged or no database at all."""
    text = str(error).lower()
    return any(
        sign in text for sign in ("malformed", "not a database", "disk image", "unsupported file")
    )
