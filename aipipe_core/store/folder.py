"""The folder ``.aipipe``: made once, ignored by git from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".aipipe"


def make_folder(folder: Path) -> Path:
    """Make ``folder`` where it is missing; a new ``.aipipe`` hides itself from git.

    Raises ``OSError`` where it cannot be made.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return folder
    if folder.name == NAME:
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
    return folder


def make_inside(folder: Path) -> Path:
    """Make ``folder`` and those above it; where a ``.aipipe`` is among them, as above."""
    above = next((one for one in folder.parents if one.name == NAME), None)
    if above is not None:
        make_folder(above)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
