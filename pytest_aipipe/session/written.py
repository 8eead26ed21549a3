"""The generated files: written whole, replaced when they are still ours, taken back.

A file is *ours* as long as it holds exactly what we wrote; ``.aipipe/generated/written.json``
remembers the digests. What somebody has edited is theirs and is never overwritten.
"""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.compare.files import FOLDER
from pytest_aipipe.session.folder import NAME, own_folder, write_text

if TYPE_CHECKING:
    from collections.abc import Collection

LEDGER = "written.json"


class Ledger:
    """Which files we wrote, by absolute path, and what was in them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / NAME / "generated" / LEDGER
        self._digests = self._load()

    def _load(self) -> dict[str, str]:
        try:
            loaded = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in loaded.items()} if isinstance(loaded, dict) else {}

    def holds_catching(self, file: Path) -> bool:
        """Whether ``file`` lies where we write tests of what the base did."""
        folder = file.parent
        return folder.name == FOLDER and str(folder / "conftest.py") in self._digests

    def is_ours(self, file: Path) -> bool:
        """Whether ``file`` holds what we once wrote to it."""
        known = self._digests.get(str(file))
        try:
            return known is not None and known == _digest(file.read_bytes())
        except OSError:
            return False

    def ours_in(self, folder: Path) -> list[Path]:
        """Return our files directly in ``folder``."""
        files = [Path(name) for name in self._digests if Path(name).parent == folder]
        return sorted(file for file in files if self.is_ours(file))

    def write(self, file: Path, text: str) -> None:
        """Write ``file`` and remember it."""
        self._digests[str(file)] = _digest(text.encode())
        self._save()  # before the file: an interruption between the two leaves no stranger
        write_text(file, text)

    def remove(self, file: Path) -> None:
        """Take ``file`` back if it is still ours."""
        if self.is_ours(file):
            file.unlink()
        self._digests.pop(str(file), None)
        self._save()

    def _save(self) -> None:
        own_folder(self._root, "generated")
        write_text(self._file, json.dumps(self._digests, indent=1, sort_keys=True) + "\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def free_name(folder: Path, name: str, ledger: Ledger) -> str:
    """Return ``name``, numbered where a file that is not ours has it already."""
    stem, number = name.removesuffix(".py"), 1
    while (folder / name).exists() and not ledger.is_ours(folder / name):
        number += 1
        suffix = "_test" if stem.endswith("_test") else ""
        name = f"{stem.removesuffix('_test')}_{number}{suffix}.py"
    return name


def without(text: str, names: Collection[str]) -> str | None:
    """Return ``text`` without the top-level tests ``names``; None when no test is left."""
    lines, left = text.splitlines(keepends=True), 0
    for node in reversed(syntax.parse(text).body):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name in names:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            del lines[first : node.end_lineno]
            while first < len(lines) and not lines[first].strip():
                del lines[first]
        elif node.name.lower().startswith("test"):
            left += 1
    return "".join(lines).rstrip("\n") + "\n" if left else None
