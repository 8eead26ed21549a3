"""The sandbox made by bubblewrap: https://github.com/containers/bubblewrap."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.sandbox.command import Command
from aipipe_core.sandbox.launcher import Plan, launch
from aipipe_core.sandbox.mounts import Place, mounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aipipe_core.sandbox.mounts import Mount
    from aipipe_core.sandbox.policy import Policy

_SIZE_SINCE = (0, 7)


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """Namespaces by bubblewrap. ``own_user`` asks for a user namespace of the run's own."""

    own_user: bool = True
    name: str = "bubblewrap"
    isolated: bool = True

    def wrap(self, argv: Sequence[str], policy: Policy, cwd: Path) -> Command:
        """Return the command that runs ``argv`` in ``cwd`` under ``policy``."""
        here = Path(cwd).resolve()
        laid = mounts(policy, argv, here)
        plan = Plan(cwd=str(here), own_processes=True, own_user=self.own_user)
        return Command(
            argv=(
                shutil.which("bwrap") or "bwrap",
                *(["--unshare-user"] if self.own_user else []),
                *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
                *([] if policy.network else ["--unshare-net"]),
                # Root would keep its capabilities otherwise.
                *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
                *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
                *_flags(laid, policy.limits.file_size),
                *("--chdir", str(here), "--"),
                *launch(plan, policy.limits, argv),
            ),
            env=dict(policy.environment),
            cwd=here,
            sandbox=self.name,
            limits=policy.limits,
        )


def _flags(laid: Sequence[Mount], size: int | None) -> Iterator[str]:
    sized = ["--size", str(size)] if size and version() >= _SIZE_SINCE else []
    for path, place in laid:
        if place is Place.READABLE:
            yield from ("--ro-bind", path, path)
        elif place is Place.WRITABLE:
            yield from ("--bind", path, path)
        elif not Path(path).is_dir():
            yield from ("--ro-bind", "/dev/null", path)
        elif place is Place.HIDDEN:
            yield from ("--tmpfs", path)
        else:
            yield from (*sized, "--tmpfs", path)
    # Sealed at last: what lies below them had to be laid first.
    for path, place in laid:
        if place is Place.HIDDEN and Path(path).is_dir():
            yield from ("--remount-ro", path)


@functools.cache
def version() -> tuple[int, ...]:
    """Return bubblewrap's version, ``(0,)`` where it is not installed."""
    try:
        said = subprocess.run(
            ["bwrap", "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    return tuple(int(part) for part in re.findall(r"\d+", said)) or (0,)
