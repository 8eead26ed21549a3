"""The sandbox made by Landlock, with as many namespaces as the machine permits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.sandbox.command import Command
from aipipe_core.sandbox.launcher import Landlock, Plan, launch
from aipipe_core.sandbox.mounts import Mount, Place, mounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aipipe_core.sandbox.policy import Policy

_DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
)
FULL = ("user", "mount", "pid", "net", "ipc")


@dataclass(frozen=True, slots=True)
class LandlockSandbox:
    """Landlock's rules on files; ``namespaces`` are those that the machine permits.

    Without ``mount`` there is no private ``/tmp``: nothing outside the writable folders
    can be written. Without ``net`` there is no loopback: no socket can be made.
    """

    namespaces: tuple[str, ...] = FULL
    isolated: bool = True

    @property
    def name(self) -> str:
        """What it is, with its namespaces."""
        return "+".join(("landlock", *self.namespaces)) if self.namespaces else "landlock"

    def wrap(self, argv: Sequence[str], policy: Policy, cwd: Path) -> Command:
        """Return the command that runs ``argv`` in ``cwd`` under ``policy``."""
        here = Path(cwd).resolve()
        laid = mounts(policy, argv, here)
        entered = [n for n in self.namespaces if not (n == "net" and policy.network)]
        plan = Plan(
            cwd=str(here),
            mounts=[(path, place.name.lower()) for path, place in laid],
            landlock=_rules(laid, covered="mount" in entered, refuse_network=False),
            own_processes="pid" in entered,
            own_user="user" in entered,
        )
        if entered:
            plan["namespaces"] = entered
        if "net" not in entered and not policy.network:
            plan["landlock"]["refuse_network"] = True
            plan["refuse_sockets"] = "require"
        return Command(
            argv=launch(plan, policy.limits, argv),
            env=dict(policy.environment),
            cwd=here,
            sandbox=self.name,
            limits=policy.limits,
        )


def _rules(laid: Sequence[Mount], *, covered: bool, refuse_network: bool) -> Landlock:
    """Return Landlock's rules. ``covered``: mounts already cover what is hidden."""
    write = [path for path, place in laid if place is Place.WRITABLE]
    write.extend(path for path in _DEVICES if Path(path).exists())
    if covered:
        write.extend(path for path, place in laid if place is Place.SCRATCH)
        return Landlock(read=["/"], list=[], write=write, refuse_network=refuse_network)
    hidden = {path for path, place in laid if place is Place.HIDDEN}
    tops = ["/", *(path for path, place in laid if place is Place.READABLE)]
    read = [path for top in tops for path in _around(top, hidden)]
    return Landlock(read=read, list=["/"], write=write, refuse_network=refuse_network)


def _around(path: str, hidden: set[str]) -> Iterator[str]:
    """Yield what lies at or below ``path``, but for what is hidden, in as few paths as can be.

    Landlock can only allow, so hiding one folder means naming its siblings, all the way up.
    """
    if path in hidden:
        return
    if not any(other.startswith(path.rstrip("/") + "/") for other in hidden):
        yield path
        return
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if not entry.is_symlink():
            yield from _around(entry.path, hidden)
