"""The branch that others work from, by the name that people and CI give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.change.resolve import default_ref

if TYPE_CHECKING:
    from pathlib import Path


def default_branch(top: Path) -> str | None:
    """Return its name, as ``origin/main`` or ``main``; None where there is nothing but HEAD.

    A clone names it ``refs/remotes/origin/HEAD``, which says where to look and not what is
    there. Raises as ``default_ref`` does.
    """
    ref = default_ref(top)
    if ref is None:
        return None
    points_to = run(top, "symbolic-ref", "--quiet", ref, check=False).text or ref
    return points_to.removeprefix("refs/").removeprefix("heads/").removeprefix("remotes/")


def without_remote(top: Path, branch: str) -> str:
    """Return a branch's name as its remote calls it: ``release/2`` of ``origin/release/2``."""
    for remote in run(top, "remote").text.split():
        if branch.startswith(f"{remote}/"):
            return branch.removeprefix(f"{remote}/")
    return branch
