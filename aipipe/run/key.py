"""The key of a stage: what its outcome depends on, so that what passed once is not run again.

It covers the stage's definition, the content of its inputs, the change's base and route where
an agent reads them, and the keys of the stages that it waits for. What it cannot cover (the
network, the clock, programs of the machine) is why ``cache: false`` exists.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from aipipe_core.change.exclude import is_excluded
from aipipe_core.change.git import run
from aipipe_core.change.scratch import untracked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import Stage

VERSION = 1
PASSED = "passed"
KEPT = 2_000


def tree_of(top: Path) -> dict[str, str]:
    """Return the content of the working tree: path to git's blob name and mode.

    Untracked files are in it and ignored ones are not. What git's index knows to be unchanged
    is taken from it; only the rest is read.
    """
    found = {}
    for record in run(top, "ls-files", "--stage", "-z").out.split(b"\0"):
        if record:
            head, _, name = record.partition(b"\t")
            found[os.fsdecode(name)] = head.decode("ascii")
    edited = run(top, "diff-files", "--name-only", "-z", "--ignore-submodules=none").out
    changed = [os.fsdecode(name) for name in edited.split(b"\0") if name]
    found |= _on_disk(top, [*changed, *(os.fsdecode(name) for name in untracked(top))])
    return found


def _on_disk(top: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return what git would call these files: committing an edit must not change a key."""
    found = dict.fromkeys(paths, "")
    plain = [path for path in paths if "\n" not in path and _is_file(top / path)]
    names = run(
        top,
        "hash-object",
        "--stdin-paths",
        stdin=b"".join(os.fsencode(top / path) + b"\n" for path in plain),
    ).text.split()
    for path, name in zip(plain, names, strict=True):
        mode = "100755" if (top / path).stat().st_mode & 0o100 else "100644"
        found[path] = f"{mode} {name} 0"
    for path in set(paths) - set(plain):
        with suppress(OSError):
            found[path] = f"link {(top / path).readlink()}"
    return found


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def key_of(
    stage: Stage,
    argv: Sequence[str],
    analysis: Analysis,
    tree: Mapping[str, str],
    before: Sequence[str],
) -> str:
    """Return the key; ``before`` are the keys of the stages that it waits for."""
    inputs = {
        path: content
        for path, content in tree.items()
        if not stage.inputs or is_excluded(path, stage.inputs)
    }
    definition = {
        "argv": list(argv),
        "directory": stage.directory,
        "environment": dict(sorted(stage.environment.items())),
        "monitor": asdict(stage.monitor) if stage.monitor else None,
    }
    route = asdict(analysis.route) if stage.uses else None
    parts = [VERSION, platform.python_version(), definition, route, sorted(inputs.items())]
    text = json.dumps([*parts, sorted(before)], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Passed:
    """The keys of what passed, as empty files: one that exists says all there is to say."""

    def __init__(self, home: Path) -> None:
        self.folder = home / PASSED

    def when(self, key: str) -> float | None:
        """Return when the key last passed, in seconds since 1970; None where it never did."""
        with suppress(OSError):
            return (self.folder / key).stat().st_mtime
        return None

    def add(self, key: str) -> None:
        """Remember that the key passed now; a full disk only costs a rerun."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / key).touch()

    def prune(self) -> None:
        """Forget the oldest ones beyond ``KEPT``."""
        with suppress(OSError):
            dated = sorted((entry.stat().st_mtime, entry) for entry in self.folder.iterdir())
            for _, entry in dated[:-KEPT]:
                entry.unlink(missing_ok=True)


def ago(seconds: float) -> str:
    """Return how long ago in words."""
    passed = max(0, int(time.time() - seconds))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if passed >= size:
            count = passed // size
            return f"{count} {unit}{'s' * (count != 1)} ago"
    return "just now"
