"""A copy of the project in which tests are tried, so that nothing of the user's is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

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


def make_workplace(rootdir: Path) -> Workplace:
    """Copy the project around ``rootdir``."""
    origin = top_of(rootdir)
    scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix="aipipe-flaky-")))
    copy = scratch / "copy" / origin.name
    copy.parent.mkdir()
    shutil.copytree(
        origin,
        copy,
        symlinks=True,
        ignore=shutil.ignore_patterns(*LEFT_OUT),
        ignore_dangling_symlinks=True,
    )
    return Workplace(origin, copy, scratch)
