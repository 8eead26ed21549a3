"""Changed modules that were imported before measuring began.

A project that is itself a pytest plugin, or that another plugin uses, has run its module
level before us. What that runs is measured by importing the module once more in a fresh
process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_aipipe.measure.trace import Arcs

SECONDS = 20.0

_PROGRAM = """
import json, sys
request = json.load(sys.stdin)
sys.path[:] = request["path"]
from coverage import Coverage
seen = Coverage(data_file=None, branch=True, config_file=False, messages=False,
                include=request["files"])
seen.start()
for name in request["modules"]:
    try:
        __import__(name)
    except BaseException:
        pass
seen.stop()
data = seen.get_data()
sys.stdout.write("\\n" + json.dumps({file: data.arcs(file) for file in data.measured_files()}))
"""


def already(files: Iterable[str]) -> dict[str, str]:
    """Return the modules of this process that come from ``files`` (real paths), by file."""
    wanted = set(files)
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name != "__main__" and os.path.realpath(file) in wanted:
            found[os.path.realpath(file)] = name
    return found


def import_arcs(modules: Mapping[str, str], folder: Path) -> dict[str, Arcs]:
    """Return the arcs that importing ``modules`` (by file) runs; {} where it cannot be told."""
    if not modules:
        return {}
    request = {"path": sys.path, "files": list(modules), "modules": list(modules.values())}
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-c", _PROGRAM],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=folder,
            check=True,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError, OSError):
        return {}
    return {file: frozenset((a, b) for a, b in arcs) for file, arcs in answer.items()}
