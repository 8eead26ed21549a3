from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from aipipe_core.sandbox import Limits, Outcome, Policy, Sandbox, run
from aipipe_core.sandbox.choice import candidates, trial
from aipipe_core.sandbox.guard import Guard, Unconfined

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


@dataclass
class Bench:
    """A sandbox with a project, a private folder and a folder outside."""

    sandbox: Sandbox
    project: Path
    private: Path
    outside: Path
    policy: Policy

    def python(self, code: str, *arguments: str, **options: Any) -> Outcome:
        argv = [sys.executable, "-c", code, *arguments]
        return self.start(argv, **options)

    def start(self, argv: list[str], pass_fds: tuple[int, ...] = (), **changes: Any) -> Outcome:
        policy = replace(self.policy, **changes)
        return run(self.sandbox.wrap(argv, policy, self.project), pass_fds=pass_fds)


def make_bench(sandbox: Sandbox, top: Path) -> Bench:
    project, private, outside = top / "project", top / "private", top / "outside"
    for folder in (project, private / "home", private / "tmp", outside):
        folder.mkdir(parents=True)
    policy = Policy(
        writable=(private,),
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(private / "home"),
            "TMPDIR": str(private / "tmp"),
        },
        limits=Limits(seconds=30.0, memory=1024 * MIB, processes=30, file_size=8 * MIB),
    )
    return Bench(sandbox, project, private, outside, policy)


def _kinds() -> list[Sandbox]:
    return candidates()


@pytest.fixture(params=_kinds(), ids=lambda kind: f"{kind.name}{getattr(kind, 'own_user', '')}")
def isolated(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Each kind that the kernel enforces; skipped where the machine forbids it."""
    return _bench(request.param, tmp_path)


@pytest.fixture(
    params=[*_kinds(), Guard(), Unconfined()],
    ids=lambda kind: f"{kind.name}{getattr(kind, 'own_user', '')}",
)
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Every kind there is: limits hold in all of them."""
    return _bench(request.param, tmp_path)


_tried: dict[str, str] = {}


def _bench(sandbox: Sandbox, top: Path) -> Bench:
    if sandbox.isolated:
        key = repr(sandbox)
        if key not in _tried:
            _tried[key] = trial(sandbox)
        if _tried[key]:
            pytest.skip(f"{sandbox.name} does not work here: {_tried[key]}")
    return make_bench(sandbox, top)
