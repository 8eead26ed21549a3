"""``.aipipe/``: the one folder of the project that is ours."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from aipipe_core.whole import write_whole

NAME = ".aipipe"


def own_folder(root: Path, *parts: str) -> Path:
    """Return ``.aipipe/parts`` under ``root``, made; git is told to look away from it."""
    top = root / NAME
    top.mkdir(exist_ok=True)
    ignore = top / ".gitignore"
    if not ignore.exists():
        write_text(ignore, "*\n")
    folder = top.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_folder(root: Path, head: str) -> Path:
    """Return this run's folder: the orchestrator's (``AIPIPE_RUN_DIR``), or a new one."""
    given = os.environ.get("AIPIPE_RUN_DIR")
    if given:
        Path(given).mkdir(parents=True, exist_ok=True)
        return Path(given)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return own_folder(root, "runs", f"{stamp}-{head[:8]}-{os.getpid()}")


def write_text(file: Path, text: str) -> None:
    """Write ``text`` to ``file`` whole or not at all."""
    write_whole(file, text.encode("utf-8"))


def defect_file(root: Path, text: str) -> Path:
    """Keep the traceback of a defect of ours, and return where."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    file = own_folder(root, "defects") / f"{digest}.txt"
    write_text(file, text)
    return file
