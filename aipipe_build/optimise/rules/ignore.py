"""An ignore file for what the context should not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.optimise.copying import copying_of
from aipipe_build.optimise.harmless import named
from aipipe_build.optimise.proposal import Effects, Proposal
from aipipe_build.optimise.situation import steps_of

if TYPE_CHECKING:
    from aipipe_build.optimise.situation import Situation

PATTERNS = {
    "version-control": (".git", ".gitignore", ".gitattributes", ".github", ".gitlab-ci.yml"),
    "bytecode": ("**/__pycache__",),
    "tool-caches": (
        "**/.pytest_cache", "**/.mypy_cache", "**/.ruff_cache", ".tox", ".nox", ".coverage",
        "htmlcov", ".idea", ".vscode", ".aipipe", ".hypothesis", "**/.DS_Store",
    ),
    "local-environment": (".venv", "venv"),
    "build-files": (
        "Dockerfile*", ".dockerignore", "compose*.yaml", "compose*.yml", "docker-compose*.yml",
    ),
}  # fmt: skip
"""What is ignored, by the entry of the harmless list that allows it to be missing."""


def propose(situation: Situation) -> Proposal | None:
    """Ignore what is there, is sent, and that nothing in an image reads."""
    copies = [copying_of(s) for stage in situation.dockerfile.stages for s in steps_of(stage)]
    if not any(copying is not None and copying.is_broad for copying in copies):
        return None
    wanted: list[str] = []
    reasons: set[str] = set()
    for reason, patterns in PATTERNS.items():
        entry = named(reason)
        present = [path for path in situation.files if entry.pattern.fullmatch(path)]
        if reason == "local-environment":
            present = [path for path in present if path.endswith("/pyvenv.cfg")]
        chosen = [one for one in patterns if any(_matches(one, path) for path in present)]
        # These change with every edit of how to build, and would invalidate all that is copied.
        if reason == "build-files" and (present or wanted):
            chosen = ["Dockerfile*", ".dockerignore", *(c for c in chosen if "compose" in c)]
        if chosen:
            wanted += chosen
            reasons.add(reason)
    known = set((situation.ignore or "").split())
    wanted = [pattern for pattern in wanted if pattern not in known]
    if not wanted:
        return None
    before = situation.ignore or ""
    glue = "" if not before or before.endswith("\n") else "\n"
    return Proposal(
        rule="ignore",
        title=f"Ignore {', '.join(wanted)}",
        why="a COPY of the whole context runs again when any of it changes, "
        "and the image carries it",
        ignore=f"{before}{glue}" + "".join(f"{pattern}\n" for pattern in wanted),
        effects=Effects(files=frozenset(reasons)),
    )


def _matches(pattern: str, path: str) -> bool:
    from aipipe_build.ignore.patterns import PatternMatcher

    return PatternMatcher([pattern]).matches(path)
