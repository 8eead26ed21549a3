"""The environments and the checkouts of the selection bench, and the runs of pytest in them."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.selection_limit import git
from bench.selection_warm import Warm

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parent.parent
Case = dict[str, Any]
OURS = [
    "--ai-engine=none",
    "--ai-behavior=off",
    "--ai-flaky-reruns=0",
    "--ai-report=json:/dev/null",
]


class Runs:
    """Runs pytest, each side in its environment and in its checkout."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.work = arguments.work.resolve()
        self.processes: dict[str, Warm] = {}

    def venvs(self, cases: list[Case]) -> None:
        """Make the environments of both sides, once."""
        packages = sorted({one for case in cases for one in case["deps"]})
        for name, own in (("ours", ["-e", str(PROJECT)]), ("testmon", ["pytest-testmon"])):
            folder = self.work / "venvs" / name
            if not (folder / "ok").exists():
                subprocess.run([sys.executable, "-m", "venv", folder], check=True)
                pip = [folder / "bin/pip", "install", "-q", "pytest-timeout", "coverage"]
                subprocess.run([*pip, *own, *packages], check=True)
                (folder / "ok").touch()

    def tree(self, case: Case, side: str, rev: str) -> Path:
        """Return a side's checkout of a version, made once."""
        tree = self.work / "trees" / f"{case['repo']}-{rev[:10]}-{side}"
        if not tree.exists():
            owner, name = case["github"].split("/")
            mirrors = self.arguments.mirrors
            flat = mirrors / f"{owner}+{name}"
            places = (flat / "repo", flat, mirrors / name)
            source = next(place for place in places if place.exists())
            tree.parent.mkdir(parents=True, exist_ok=True)
            quiet(["git", "clone", "-q", "--shared", "--no-checkout", source, tree])
            git(tree, "checkout", "-q", "-f", "--detach", rev)
        return tree

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned when it was asked for ``name`` first."""
        file = self.work / "kept" / f"{name.replace(' ', '-')}.json.gz"
        if file.exists():
            return json.loads(gzip.decompress(file.read_bytes()))
        found = make()
        if found is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_bytes(gzip.compress(json.dumps(found).encode(), 1))
            part.replace(file)
        return found

    def pytest(
        self, case: Case, tree: Path, side: str, *args: str, files: list[str] | None = None,
        without: list[str] | None = None,
    ) -> dict[str, Any] | None:  # fmt: skip
        """Run pytest and return what the plugin saw; None where it came to no end."""
        out = tree.parent / f"{tree.name}.seen.json"
        out.unlink(missing_ok=True)
        path = [str(tree / case["path"]), str(PROJECT / "bench")]
        env = {"PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1",
               "SELECTION_OUT": str(out), "SELECTION_FILES": "[]",
               "SELECTION_WITHOUT": ""}  # fmt: skip
        if without:
            listed = tree.parent / f"{tree.name}.without.json"
            listed.write_text(json.dumps(without))
            env["SELECTION_WITHOUT"] = str(listed)
        if files:
            env["SELECTION_FILES"] = json.dumps([str(tree / file) for file in files])
        addopts = [] if case.get("keep_addopts") else ["-o", "addopts="]
        patience = f"--timeout={self.arguments.patience}"
        words = ["-q", "-p", "selection_watch", patience, "-W", "ignore", "--no-header",
                 "--continue-on-collection-errors", *addopts, *args]  # fmt: skip
        self.warm(side).ask({"args": words, "cwd": str(tree), "env": env, "path": path,
                             "timeout": self.arguments.timeout})  # fmt: skip
        if not out.exists():
            print(f"{tree.name} {args}: came to no end", flush=True)
            return None
        found: dict[str, Any] = json.loads(out.read_text())
        return found

    def warm(self, side: str) -> Warm:
        """The process that runs pytest in the environment ``side``."""
        if side not in self.processes:
            self.processes[side] = Warm(self.work / "venvs" / side / "bin/python")
        return self.processes[side]

    def record(self, case: Case, rev: str) -> tuple[Path, Path]:
        """Make both maps of a version, once. Raises OSError where there is nothing to map."""
        mine, theirs = self.tree(case, "ours", rev), self.tree(case, "testmon", rev)
        if not (mine.parent / f"{mine.name}.ok").exists():
            self.pytest(case, mine, "ours", "--ai-diff=worktree", "--ai-select=off", *OURS)
            self.pytest(case, theirs, "testmon", "--testmon")
            for tree, kept in ((mine, ".aipipe/store.db"), (theirs, ".testmondata")):
                shutil.copy2(tree / kept, tree.parent / f"{tree.name}.map")
            (mine.parent / f"{mine.name}.ok").touch()
        return mine, theirs

    def whole(
        self, case: Case, tree: Path, files: list[str] | None = None,
        without: list[str] | None = None,
    ) -> Any:  # fmt: skip
        """Run the whole suite, or all but some, with no plugin but the bench's own."""
        return self.pytest(case, tree, "ours", "-p", "no:aipipe", "-p", "no:cacheprovider",
                           files=files, without=without)  # fmt: skip

    def ask(
        self, case: Case, mine: Path, theirs: Path, spec: str, name: str
    ) -> tuple[Any, Any]:  # fmt: skip
        """Ask both sides what they would run."""
        ours = self.pytest(case, mine, "ours", f"--ai-diff={spec}", "--collect-only", *OURS)
        args = ("--testmon", "--testmon-nocollect", "--collect-only")
        make = partial(self.pytest, case, theirs, "testmon", *args)
        return ours, self.kept(f"{name} testmon", make)


def renew(tree: Path, texts: dict[str, bytes]) -> None:
    """Put a tree back as it was checked out, but for ``texts``: tests may write into it."""
    git(tree, "checkout", "-q", "-f", "HEAD")
    git(tree, "clean", "-q", "-f", "-d", "-e", ".aipipe", "-e", ".testmondata*")
    for file, text in texts.items():
        (tree / file).write_bytes(text)


def short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def quiet(command: list[Any]) -> None:
    subprocess.run(list(map(str, command)), capture_output=True, check=True)
