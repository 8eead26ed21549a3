"""Opening a store, whatever state the disk is in."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from aipipe_core.errors import RequestError
from aipipe_core.findings.model import Finding, Level
from aipipe_core.store.engine import is_corrupt, sqlite_engine
from aipipe_core.store.folder import NAME, make_folder
from aipipe_core.store.store import Store, failed, lock, transaction
from aipipe_core.store.tables import meta, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRIES = 5
_LIBPQ = {"psycopg", "psycopg2"}


def open_store(place: str | Path | None = None, *, root: Path | None = None) -> Store:
    """Open the store at ``place``: a file, an SQLAlchemy URL, or ``.aipipe/store.db`` of ``root``.

    ``:memory:`` forgets at the end. A damaged file is set aside and a folder that cannot be
    written to gives a store in memory; ``Store.findings`` says so. Raises ``RequestError``
    for a URL that cannot be used or a store of a later version (``store-newer``), and
    ``SurroundingsError`` (``store-failed``) where a database server does not answer.
    """
    if place is None:
        place = (root or Path.cwd()) / NAME / "store.db"
    if isinstance(place, str) and place == ":memory:":
        return _in_memory()
    if isinstance(place, str) and "://" in place:
        return _open_url(place)
    return _open_file(Path(place))


def _open_url(text: str) -> Store:
    try:
        url = sa.make_url(text)
        if url.drivername in {"sqlite", "sqlite+pysqlite"}:
            database = url.database
            return (
                _in_memory() if database in {None, "", ":memory:"} else _open_file(Path(database))
            )
        # A database of no encoding (SQL_ASCII) would answer in bytes.
        options = {"client_encoding": "utf8"} if url.get_driver_name() in _LIBPQ else {}
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args=options)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise RequestError(
            "store-url",
            f"This store's URL cannot be used: {error}",
            hint="Write it as SQLAlchemy does, and install its driver "
            "(for PostgreSQL: pytest-aipipe[postgres], postgresql+psycopg://...).",
        ) from error
    try:
        _make_tables(engine)
    except sa.exc.DatabaseError as error:
        place = engine.url.render_as_string(hide_password=True)
        engine.dispose()
        raise failed(error, place) from error
    except RequestError:
        engine.dispose()
        raise
    return Store(engine)


def _in_memory(*findings: Finding) -> Store:
    engine = sqlite_engine(None)
    _make_tables(engine)
    return Store(engine, findings)


def _open_file(path: Path) -> Store:
    try:
        make_folder(path.parent)
    except OSError as error:
        return _in_memory(_forgetful(path, error.strerror or str(error)))
    findings: list[Finding] = []
    try:
        # What is opened while another sets the file aside would lose its log to that.
        with _folder_locked(path, fcntl.LOCK_SH):
            engine = _usable(path)
    except sa.exc.DatabaseError as error:
        if not is_corrupt(error):
            return _in_memory(_forgetful(path, str(error.orig)))
        fresh = _replace(path, error)
        if fresh is None:
            return _in_memory(_forgetful(path, str(error.orig)))
        engine, finding = fresh
        findings.append(finding)
    return Store(engine, findings, reopen=partial(_replace, path))


def _usable(path: Path) -> sa.Engine:
    """Return an engine whose tables are there; raises what the database says."""
    engine = sqlite_engine(path)
    for attempt in range(_TRIES):
        try:
            _make_tables(engine)
        except sa.exc.DatabaseError as error:
            # Two that switch to WAL at once are not made to wait for each other.
            if "locked" in str(error) and attempt < _TRIES - 1:
                time.sleep(0.1 * (attempt + 1))
                continue
            engine.dispose()
            raise
        except RequestError:
            engine.dispose()
            raise
        break
    return engine


def _make_tables(engine: sa.Engine) -> None:
    with transaction(engine, write=True) as connection:
        lock(connection, meta.name)
        prepare(connection)


def _replace(path: Path, damaged: BaseException) -> tuple[sa.Engine, Finding] | None:
    """Set the damaged file aside, unless another process has just done so, and open a new one."""
    try:
        with _folder_locked(path, fcntl.LOCK_EX):
            if not _sound(path):
                aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
                os.replace(path, aside)  # noqa: PTH105 - one step, never a moment of two files
                for suffix in ("-wal", "-shm"):
                    with contextlib.suppress(OSError):
                        os.replace(f"{path}{suffix}", f"{aside}{suffix}")  # noqa: PTH105
            return _usable(path), _set_aside(path, damaged)
    except (OSError, sa.exc.DatabaseError):
        return None


@contextlib.contextmanager
def _folder_locked(path: Path, how: int) -> Iterator[None]:
    """Hold a lock on the folder of ``path``, where it can be had."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            folder = os.open(path.parent, os.O_RDONLY)
            held.callback(os.close, folder)
            fcntl.flock(folder, how)
        yield


def _sound(path: Path) -> bool:
    engine = sqlite_engine(path)
    try:
        with transaction(engine, write=False) as connection:
            return bool(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok")
    except sa.exc.DatabaseError as error:
        return not is_corrupt(error)
    finally:
        engine.dispose()


def _set_aside(path: Path, damaged: BaseException) -> Finding:
    return Finding(
        rule="store-damaged",
        level=Level.WARNING,
        message=f"The store {path} is damaged ({_first_line(damaged)}). It was set aside beside "
        "its place, and a new one was begun.",
        help="What it remembered is learnt again. Remove the old file when nobody needs it.",
        anchor=str(path),
    )


def _first_line(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return (str(original).strip() or type(original).__name__).splitlines()[0]


def _forgetful(path: Path, why: str) -> Finding:
    return Finding(
        rule="store-unwritable",
        level=Level.WARNING,
        message=f"The store {path} cannot be written to ({why}): "
        "what this run learns is forgotten when it ends.",
        help="Make the folder writable, or name another store.",
        anchor=str(path),
    )
