"""A copy of the project in which tests are tried, so that nothing of the user's is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT_OUT = (
    ".git", ".hg", ".svn", ".aipipe", ".venv", "venv", "env", ".tox", ".nox", "node_modules",
    "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".cache", ".eggs",
)  # fmt: skip


def top_of(folder: Path) -> Path:
    """Return the repository's top around ``folder``, or ``folder`` where there is none."""
    real = Path(os.path.realpath(folder))
    return next((place for place in (real, *real.parents) if (place / ".git").exists()), real)


@dataclass(frozen=True, slots=True)
class Workplace:
    """``copy`` mirrors ``origin``; ``scratch`` is for everything else."""

    origin: Path
    copy: Path
    scratch: Path

    def inside(self, path: Path) -> Path:
        """Return where ``path`` of the origin is in the copy; other paths stay as they are."""
        real = Path(os.path.realpath(path))
        if real == self.origin or self.origin in real.parents:
            return self.copy / real.relative_to(self.origin)
        return path

    def outside(self, text: str) -> str:
        """Return ``text`` with paths of the copy as those of the project."""
        return text.replace(f"{self.copy}{os.sep}", "").replace(str(self.copy), str(self.origin))

    def write(self, path: str, text: str) -> None:
        """Give a file of the copy another text, and forget what was compiled from the old one."""
        file = self.copy / path
        file.write_text(text, encoding="utf-8")
        for old in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            old.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove it all."""
        shutil.rmtree(self.scratch, ignore_errors=True)


def paths_in(top: Path) -> frozenset[str]:
    """Return the paths of all files and folders below ``top`` that a copy would hold."""
    found: set[str] = set()
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        found.update(
            os.path.join(folder, name)  # noqa: PTH118 - thousands
            for name in (*folders, *names)
        )
    return frozenset(found)


def make_workplace(rootdir: Path, known: frozenset[str] | None = None) -> Workplace:
    """Copy the project around ``rootdir``.

    With ``known``, only what :func:`paths_in` named before the tests ran: what a
    test left behind must not be there from the start.
    """
    origin = top_of(rootdir)
    scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix="aipipe-flaky-")))
    copy = scratch / "copy" / origin.name
    copy.parent.mkdir()
    shutil.copytree(
        origin,
        copy,
        symlinks=True,
        ignore=_ignored(known),
        ignore_dangling_symlinks=True,
    )
    return Workplace(origin, copy, scratch)


def _ignored(known: frozenset[str] | None) -> Callable[[str, list[str]], set[str]]:
    patterns = shutil.ignore_patterns(*LEFT_OUT)

    def ignore(folder: str, names: list[str]) -> set[str]:
        found = patterns(folder, names)
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - as copytree has them
            if known is not None and path not in known:
                found.add(name)
        return found

    return ignore
