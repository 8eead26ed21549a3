"""The last resort: a guard inside the program, and running with limits only."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.sandbox.command import Command
from aipipe_core.sandbox.launcher import Plan, launch
from aipipe_core.sandbox.mounts import Place, mounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_core.sandbox.policy import Policy

_HOOK = Path(__file__).with_name("hook.py")
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")


@dataclass(frozen=True, slots=True)
class Guard:
    """An audit hook in the program itself. Code that means harm can get around it.

    Only Python can be guarded: any other program is refused by the hook's own process.
    """

    name: str = "guard: best effort"
    isolated: bool = False

    def wrap(self, argv: Sequence[str], policy: Policy, cwd: Path) -> Command:
        """Return the command that runs ``argv`` in ``cwd`` under ``policy``."""
        here = Path(cwd).resolve()
        laid = mounts(policy, argv, here)
        rules = {
            "writable": [path for path, place in laid if place is Place.WRITABLE],
            "hidden": [path for path, place in laid if place is Place.HIDDEN],
            "readable": [path for path, place in laid if place is Place.READABLE],
            "network": policy.network,
        }
        plan = Plan(cwd=str(here))
        if sys.platform == "linux" and not policy.network:
            plan["refuse_sockets"] = "try"
        return Command(
            argv=launch(plan, policy.limits, guarded(argv, json.dumps(rules))),
            env=dict(policy.environment),
            cwd=here,
            sandbox=self.name,
            limits=policy.limits,
        )


@dataclass(frozen=True, slots=True)
class Unconfined:
    """No isolation: the limits and the environment of the policy, and that is all."""

    name: str = "off"
    isolated: bool = False

    def wrap(self, argv: Sequence[str], policy: Policy, cwd: Path) -> Command:
        """Return the command that runs ``argv`` in ``cwd`` with the limits of ``policy``."""
        here = Path(cwd).resolve()
        return Command(
            argv=launch(Plan(cwd=str(here)), policy.limits, argv),
            env=dict(policy.environment),
            cwd=here,
            sandbox=self.name,
            limits=policy.limits,
        )


def guarded(argv: Sequence[str], rules: str) -> tuple[str, ...]:
    """Return ``argv`` with the hook between the interpreter's options and the program.

    What is no Python is left to a Python that refuses it (exit code 126).
    """
    program, rest = argv[0], list(argv[1:])
    if not Path(program).name.startswith(("python", "pypy")):
        return (sys.executable, "-I", str(_HOOK), rules, "refuse", program)
    options: list[str] = []
    while rest and rest[0].startswith("-") and rest[0] not in {"-m", "-c", "-"}:
        options.append(rest.pop(0))
        if options[-1] in _WITH_VALUE and rest:
            options.append(rest.pop(0))
    return (program, *options, str(_HOOK), rules, *rest)
