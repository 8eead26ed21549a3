"""The dotted name under which a project's tests import a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def module_name(file: Path, path: Sequence[str], loaded: dict[str, str] | None = None) -> str:
    """Return the import name of ``file``.

    As it is loaded in this process, where it is (``loaded`` maps real paths to names);
    otherwise relative to the folder above its outermost package when that is on ``path``,
    to the nearest entry of ``path`` above it, or to that folder all the same.
    """
    real = os.path.realpath(file)
    name = (loaded if loaded is not None else loaded_names()).get(real)
    if name:
        return name
    top = _above_packages(Path(real).parent)
    entries = {os.path.realpath(entry or ".") for entry in path}
    bases = [parent for parent in Path(real).parents if str(parent) in entries]
    # A folder inside the package on sys.path is an accident of rootdir/prepend; prefer its top.
    base = top if str(top) in entries or not bases else bases[0]
    parts = list(Path(real).relative_to(base).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def loaded_names() -> dict[str, str]:
    """Return the dotted names of this process's modules, by real path; never ``__main__``."""
    names: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name != "__main__":
            real = os.path.realpath(file)
            # The longest dotted name is the real one when a file was imported twice.
            if name.count(".") >= names.get(real, "").count("."):
                names[real] = name
    return names


def _above_packages(folder: Path) -> Path:
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder
