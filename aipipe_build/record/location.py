"""Where records lie: ``.aipipe/`` of the repository, unless that would change the build.

A record inside the context would be copied by the next ``COPY . .`` and so change what it
records. Where ``.aipipe/`` is neither outside the context nor ignored by it, the records go to
the user's state folder instead, under a name made of the context's path.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_build.context.local import main_matcher

if TYPE_CHECKING:
    from aipipe_build.request import BuildRequest

FOLDER = ".aipipe"


def record_folders(request: BuildRequest, current: Path) -> tuple[Path, ...]:
    """Return the folders to read from; the first is the one to write to."""
    tops = [_top(current) or current]
    if top := _top(request.context):
        tops.append(top)
    context = request.context.resolve()
    matcher = None
    usable: list[Path] = []
    others: list[Path] = []
    for top in dict.fromkeys(top.resolve() for top in tops):
        folder = top / FOLDER / "build"
        if top == context or context in top.parents:
            matcher = matcher or main_matcher(request)
            relative = (top / FOLDER).relative_to(context).as_posix()
            if not matcher.matches(relative):
                others.append(folder)
                continue
        usable.append(folder)
    label = hashlib.sha256(str(context).encode(errors="surrogateescape")).hexdigest()[:24]
    return (*usable, _user_state() / "build" / label, *others)


def _top(path: Path) -> Path | None:
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        if (folder / ".git").exists():
            return folder
    return None


def _user_state() -> Path:
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "aipipe"
