"""The import path that a test file finds when it is run by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.generate.request import Request


def path_alone(request: Request) -> tuple[str, ...]:
    """Return the session's import path without what only the collection of other tests put there.

    pytest puts the folder above a test file's package on the path when it imports the file. A
    test that imports something from there passes with the others, and fails where its user runs
    its file alone. What the changed code is imported from, and what ``PYTHONPATH`` names, stays;
    what conftests and the ``pythonpath`` setting add is added again by the process that is started.
    """
    if "--import-mode=importlib" in request.pytest_args:
        return request.python_path
    given = {os.path.abspath(one) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep)}  # noqa: PTH100
    kept = given | {str(_top(request.root / path, name)) for path, name in request.modules.items()}
    gone = {str(above_package(test.source_path.parent)) for test in request.tests} - kept
    return tuple(one for one in request.python_path if one not in gone)


def above_package(folder: Path) -> Path:
    """Return the folder that pytest puts on the path for a test file in ``folder``."""
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _top(file: Path, module: str) -> Path:
    """Return the folder from which ``file`` is imported as ``module``."""
    levels = len(module.split(".")) - (0 if file.name == "__init__.py" else 1)
    return file.parents[levels] if levels < len(file.parents) else file.parent
