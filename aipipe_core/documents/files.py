"""Documents as files: a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aipipe_core.documents.schema import validate
from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_core.whole import write_whole

if TYPE_CHECKING:
    from pathlib import Path


def write_document(path: Path, name: str, document: object) -> None:
    """Validate ``document`` and put it at ``path`` in one step; folders are made.

    Raises ``document-invalid`` before anything is written and ``document-unwritable``
    where the file cannot be written; then the old file still stands.
    """
    validate(name, document, where=str(path))
    try:
        text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise RequestError(
            "document-invalid", f"This {name} document holds what JSON cannot: {error}"
        ) from error
    try:
        write_whole(path, text.encode("ascii"))
    except OSError as error:
        raise SurroundingsError(
            "document-unwritable",
            f"The {name} document cannot be written: {error.strerror or error}",
            where=str(path),
            hint="Check the folder's permissions and the free space.",
        ) from error


def read_document(path: Path, name: str) -> Any:
    """Return the valid document at ``path``.

    Raises ``document-missing``, ``document-unreadable`` (no JSON) or ``document-invalid``.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        document = json.loads(text)
    except FileNotFoundError as error:
        raise RequestError(
            "document-missing",
            f"There is no {name} document",
            where=str(path),
            hint="Run the step that writes it first.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RequestError(
            "document-unreadable",
            f"The {name} document cannot be read: {error}",
            where=str(path),
            hint="Remove the file and run the step that writes it again.",
        ) from error
    validate(name, document, where=str(path))
    return document
