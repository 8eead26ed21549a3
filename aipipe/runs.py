"""The folders of runs, ``.aipipe/runs/<id>/``: by name, or the latest."""

from __future__ import annotations

from pathlib import Path

from aipipe_core.errors import RequestError


def run_folder(root: Path, name: str | None = None) -> Path:
    """Return the folder of the run that ``name`` is the id or the path of; else the latest.

    Raises :class:`RequestError` (``run-unknown``) where there is none.
    """
    runs = root / ".aipipe" / "runs"
    if name is not None:
        for folder in (Path(name), runs / name):
            if folder.is_dir():
                return folder
        raise RequestError(
            "run-unknown",
            f"There is no run {name!r}",
            where=str(runs),
            hint="Name a folder in it, or nothing for the latest.",
        )
    folders = [one for one in runs.iterdir() if one.is_dir()] if runs.is_dir() else []
    if not folders:
        raise RequestError(
            "run-unknown",
            "There is no run yet",
            where=str(runs),
            hint="Run `pytest --ai-diff` or `aipipe run` first.",
        )
    return max(folders, key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
