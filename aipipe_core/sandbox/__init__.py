"""Running code that nobody has read yet: no network, no keys, a read-only tree, limits.

Names are loaded on first use, so that the launcher, which starts inside the sandbox,
loads its own module and nothing else of ours.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipipe_core.sandbox.choice import Sandbox, choose
    from aipipe_core.sandbox.command import Command, Outcome, kill, run
    from aipipe_core.sandbox.environment import scrub_environment
    from aipipe_core.sandbox.policy import Limits, Policy, policy_for

__all__ = [
    "Command",
    "Limits",
    "Outcome",
    "Policy",
    "Sandbox",
    "choose",
    "kill",
    "policy_for",
    "run",
    "scrub_environment",
]

_HOMES = {
    "Command": "command",
    "Limits": "policy",
    "Outcome": "command",
    "Policy": "policy",
    "Sandbox": "choice",
    "choose": "choice",
    "kill": "command",
    "policy_for": "policy",
    "run": "command",
    "scrub_environment": "environment",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
