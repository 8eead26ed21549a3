"""The change as a JSON document, ``change.json``; its schema is ``change.schema.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe_core.change.model import Change, FileChange

SCHEMA = 1


def as_document(change: Change) -> dict[str, Any]:
    """Return the document of ``change``: what changed and where, without the lines' text."""
    return {
        "schema": SCHEMA,
        "base": change.base,
        "head": change.head,
        "kinds": sorted(change.kinds),
        "message": change.message,
        "files": [_file(file) for file in change.files],
    }


def _file(file: FileChange) -> dict[str, Any]:
    return {
        "path": file.path,
        "old_path": file.old_path,
        "status": file.status,
        "kinds": sorted(file.kinds),
        "binary": file.binary,
        "submodule": file.submodule,
        "changed_lines": sorted(file.changed_lines),
        "removed_lines": sorted(n for hunk in file.hunks for n in hunk.old_lines),
        "symbols": [
            {"qualname": s.qualname, "kind": s.kind, "start": s.start, "end": s.end}
            for s in file.symbols
        ],
        "error": file.error,
    }
