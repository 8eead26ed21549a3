"""The store's tables and their versions. Names and nodes are interned, values are bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = 1

metadata = sa.MetaData()

meta = sa.Table(
    "aipipe_meta",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(255), nullable=False),
)

# Keys are kept as bytes, found by a digest: they may be long (PostgreSQL indexes no more
# than 2,700 bytes) and hold what no text column takes (NUL, undecodable bytes).
entries = sa.Table(
    "aipipe_entries",
    metadata,
    sa.Column("space", sa.String(64), primary_key=True),
    sa.Column("mark", sa.LargeBinary(16), primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.Float(53), nullable=False),
    sa.Column("form", sa.SmallInteger, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Index("aipipe_entries_age", "space", "created"),
)


def _interned(name: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mark", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("text", sa.LargeBinary, nullable=False),
    )


digests = _interned("aipipe_digests")
tests = _interned("aipipe_tests")

contexts = sa.Table(
    "aipipe_contexts",
    metadata,
    sa.Column("digest_id", sa.Integer, sa.ForeignKey(digests.c.id), primary_key=True),
    sa.Column("test_id", sa.Integer, sa.ForeignKey(tests.c.id), primary_key=True),
    sa.Column("seen", sa.Float(53), nullable=False),
    sa.Column("lines", sa.LargeBinary, nullable=False),
    sa.Column("arcs", sa.LargeBinary, nullable=False),
    sa.Index("aipipe_contexts_test", "test_id"),
)

MIGRATIONS: Mapping[int, Callable[[sa.Connection], None]] = {}
"""By version: what turns a store of that version into one of the next."""


def prepare(
    connection: sa.Connection,
    *,
    version: int = VERSION,
    migrations: Mapping[int, Callable[[sa.Connection], None]] = MIGRATIONS,
) -> None:
    """Make the tables, or bring them to ``version``, within the caller's transaction.

    Raises ``RequestError`` (``store-newer``) for a store that a later version has written.
    """
    meta.create(connection, checkfirst=True)
    found = connection.execute(
        sa.select(meta.c.value).where(meta.c.name == "schema")
    ).scalar_one_or_none()
    if found is None:
        metadata.create_all(connection)
        connection.execute(meta.insert().values(name="schema", value=str(version)))
        return
    current = int(found)
    if current > version:
        raise RequestError(
            "store-newer",
            f"The store was written by a later version (its schema is {current}, ours {version})",
            where=connection.engine.url.render_as_string(hide_password=True),
            hint="Upgrade pytest-aipipe, or name another store.",
        )
    for step in range(current, version):
        migrations[step](connection)
    if current < version:
        connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(version)))
