"""Start the child session in a sandbox: the tests that it runs are untrusted code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core.sandbox import Limits, policy_for, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aipipe_core.sandbox import Sandbox
    from pytest_aipipe.mutate.host import Launch

_OURS = ("AIPIPE_MUTATE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def launch_in(sandbox: Sandbox) -> Launch:
    """Return a launcher that confines the child: no network, a read-only tree, limits."""

    def launch(
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        private: Path,
        readable: Sequence[Path],
        seconds: float,
    ) -> str:
        limits = Limits(seconds=seconds)
        policy = policy_for(private, env, readable=readable, limits=limits)
        kept = {name: env[name] for name in _OURS if name in env}
        policy = replace(policy, environment={**policy.environment, **kept})
        outcome = run(sandbox.wrap(argv, policy, cwd))
        said = (outcome.stdout + outcome.stderr).decode(errors="replace")
        return said[-2000:]

    return launch
