"""The journal's tables, and its file: opened, and given room for bad times."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
BALLAST = 256 * 1024
"""Bytes held back on disk and given up when it is full, so that a way back can be written."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS lease (
    one INTEGER PRIMARY KEY CHECK (one = 1), token INTEGER NOT NULL, host TEXT NOT NULL,
    boot TEXT NOT NULL, pid INTEGER NOT NULL, born TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS releases (
    id INTEGER PRIMARY KEY, strategy TEXT NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, previous INTEGER, outcome TEXT NOT NULL DEFAULT '',
    units TEXT NOT NULL, before TEXT NOT NULL, details TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS moves (
    release INTEGER NOT NULL REFERENCES releases (id), seq INTEGER NOT NULL,
    back INTEGER NOT NULL, kind TEXT NOT NULL, params TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'planned', at REAL, token INTEGER, note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (release, back, seq));
"""


def opened(path: Path) -> sqlite3.Connection:
    """Return the journal's database, made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ignore = path.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        # The lease is renewed by another thread; SQLite itself serialises the two.
        db = sqlite3.connect(path, isolation_level=None, timeout=20.0, check_same_thread=False)
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise failed(error, path) from error
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise SurroundingsError(
            "journal-newer",
            "A newer version of aipipe wrote the journal",
            where=str(path),
            hint="Upgrade pytest-aipipe.",
        )
    db.executescript(_SCHEMA)
    db.execute(f"PRAGMA user_version={VERSION}")


def failed(error: Exception, path: Path) -> SurroundingsError:
    """Return what an error of the database or of the disk is to a user."""
    full = getattr(error, "errno", None) in (28, 122) or "full" in str(error).lower()
    if full:
        return SurroundingsError(
            "disk-full",
            "The disk is full: the journal cannot be written, so nothing more is done",
            where=str(path.parent),
            hint="Free room; then aipipe-deploy resume, or rollback.",
        )
    return SurroundingsError(
        "journal-failed",
        f"The journal cannot be used: {error}",
        where=str(path),
        hint="Check that the folder may be written to and that the file is whole.",
    )


def hold_ballast(path: Path) -> None:
    """Fill the ballast. Raises ``SurroundingsError`` (``disk-full``) where there is no room."""
    try:
        if path.exists() and path.stat().st_size == BALLAST:
            return
        with path.open("wb") as out:
            out.write(os.urandom(BALLAST))  # what a file system cannot compress away
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise failed(error, path) from error


def drop_ballast(path: Path) -> bool:
    """Give the ballast up; return whether there was one."""
    try:
        path.unlink()
    except OSError:
        return False
    return True
