"""Which run is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aipipe_core.documents import read_document
from aipipe_core.errors import RequestError

NAME = "build.json"


def read_run(given: str | None, folders: list[Path]) -> tuple[dict[str, Any], Path]:
    """Return the document of a run, and where it is: ``given``, or the newest in ``folders``.

    ``given`` is a run's folder, its name, or the file itself. Raises ``run-missing`` and what
    :func:`read_document` raises.
    """
    path = _given(given, folders) if given else _newest(folders)
    document: dict[str, Any] = read_document(path, "build")
    return document, path


def _given(given: str, folders: list[Path]) -> Path:
    own = Path(given)
    choices = [own, own / NAME, *(folder / given / NAME for folder in folders)]
    return next((path for path in choices if path.is_file()), own / NAME)


def _newest(folders: list[Path]) -> Path:
    found = [path for folder in folders for path in folder.glob(f"*/{NAME}")]
    if not found:
        raise RequestError(
            "run-missing",
            "no build was run here",
            where=", ".join(map(str, folders)),
            hint="Run aipipe-build run, or name a run.",
        )
    return max(found, key=lambda path: (path.stat().st_mtime_ns, str(path)))
