"""The run directory ``.aipipe/runs/<id>/``: its documents, its logs, and which one is the last.

Every document is written whole or not at all and checked against its schema; a directory
that a crash left without a readable ``run.json`` is passed over and never repaired by guess.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipipe_core.documents import read_document, write_document
from aipipe_core.errors import AipipeError, RequestError, SurroundingsError
from aipipe_core.store.folder import make_folder

RUNS = "runs"
KEPT = 50
"""Runs that are kept; older ones go when a new one begins."""
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's directory."""

    path: Path

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.name

    def write(self, name: str, document: object) -> None:
        """Write ``<name>.json`` against the schema ``name``."""
        write_document(self.path / f"{name}.json", name, document)

    def read(self) -> dict[str, Any]:
        """Return ``run.json``; raises as ``read_document`` does."""
        found: dict[str, Any] = read_document(self.path / "run.json", "run")
        return found

    def log(self, stage: str) -> Path:
        """Return where the stage's output is kept."""
        plain = re.sub(r"[^A-Za-z0-9_.,=\[\]-]", "_", stage)
        return self.path / "logs" / f"{plain}.log"


def home_of(top: Path) -> Path:
    """Return the repository's ``.aipipe``, made where it is missing."""
    try:
        return make_folder(top / ".aipipe")
    except OSError as error:
        raise SurroundingsError(
            "run-unwritable",
            f"The run cannot be kept: {error.strerror}",
            where=str(top / ".aipipe"),
            hint="Check the folder's permissions and the free space.",
        ) from error


def new_run(home: Path) -> RunFolder:
    """Make the directory of a new run and let the oldest ones go."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    made = RunFolder(home / RUNS / name)
    (made.path / "logs").mkdir(parents=True)
    for old in all_runs(home)[:-KEPT]:
        shutil.rmtree(old.path, ignore_errors=True)
    return made


def all_runs(home: Path) -> list[RunFolder]:
    """Return every run, the oldest first."""
    with suppress(OSError):
        found = sorted(entry for entry in (home / RUNS).iterdir() if _ID.fullmatch(entry.name))
        return [RunFolder(path) for path in found if path.is_dir()]
    return []


def find_folder(home: Path, name: str | None) -> Path:
    """Return any run's folder, one of ``pytest --ai-diff`` too: by path, by id, or the newest.

    Raises ``RequestError`` (``run-unknown``, ``run-none``).
    """
    runs = home / RUNS
    if name is not None and Path(name).is_dir():
        return Path(name)
    folders = sorted(entry for entry in runs.iterdir() if entry.is_dir()) if runs.is_dir() else []
    if name is None:
        if not folders:
            raise _no_run(runs)
        return max(folders, key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
    return _only([folder for folder in folders if folder.name.startswith(name)], name, folders)


def find_run(home: Path, name: str | None) -> RunFolder:
    """Return the run called ``name`` (a unique beginning will do), or the last readable one.

    Raises ``RequestError`` (``run-unknown``, ``run-none``) and what reading it raises.
    """
    runs = all_runs(home)
    if name is not None:
        matching = [run.path for run in runs if run.name.startswith(name)]
        found = RunFolder(_only(matching, name, [run.path for run in runs]))
        found.read()
        return found
    for run in reversed(runs):
        with suppress(AipipeError):
            run.read()
            return run
    raise _no_run(home / RUNS)


def _only(matching: list[Path], name: str, known: list[Path]) -> Path:
    if len(matching) == 1:
        return matching[0]
    raise RequestError(
        "run-unknown",
        f"{'Several runs begin' if matching else 'No run begins'} with {name!r}",
        hint=f"The last ones: {', '.join(path.name for path in known[-3:]) or 'there is none'}.",
    )


def _no_run(runs: Path) -> RequestError:
    return RequestError(
        "run-none",
        "There is no run yet",
        where=str(runs),
        hint="Start one: `aipipe run`, or `pytest --ai-diff`.",
    )
