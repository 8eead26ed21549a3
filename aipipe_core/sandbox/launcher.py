"""The argv of the launcher: which plan it gets, and with which interpreter it runs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TypedDict

from aipipe_core.sandbox.mounts import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_core.sandbox.policy import Limits

# Isolated and without site: nothing of the user's is loaded before the limits stand.
# Appended, so that nothing that lies beside our package shadows the standard library.
_START = (
    "import sys;sys.path.append(sys.argv.pop(1));from aipipe_core.sandbox.launch import main;main()"
)
_GRACE = 2.0


class Landlock(TypedDict):
    """What Landlock lets through."""

    read: list[str]
    list: list[str]
    write: list[str]
    refuse_network: bool


class Plan(TypedDict, total=False):
    """What the launcher is told."""

    cwd: str
    limits: dict[str, Any]
    namespaces: list[str]
    """Which to enter: ``user``, ``mount``, ``pid``, ``net``, ``ipc``."""
    mounts: list[tuple[str, str]]
    landlock: Landlock
    refuse_sockets: str
    """``require`` or ``try``: a filter that refuses new sockets."""
    own_processes: bool
    """Whether ``/proc`` shows the run's own processes only."""
    own_user: bool
    """Whether the run has a user namespace, and so a count of processes, of its own."""


def launch(plan: Plan, limits: Limits, argv: Sequence[str]) -> tuple[str, ...]:
    """Return the argv that runs ``argv`` by the launcher."""
    full = dict(plan)
    seconds = limits.seconds
    full["limits"] = {
        # Who waits for the run has the first word; the launcher ends what nobody waits for.
        "seconds": None if seconds is None else seconds + _GRACE,
        "memory": limits.memory,
        "processes": limits.processes,
        "file_size": limits.file_size,
        "open_files": limits.open_files,
    }
    text = json.dumps(full)
    interpreter = os.path.realpath(sys.executable)
    return (interpreter, "-I", "-S", "-B", "-c", _START, str(PACKAGES), text, *argv)
