"""A public project in a working tree of its own, and its suite, for bench/route_replay.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import connect
from typing import Any

BENCH = Path(__file__).resolve().parent
PROJECT = BENCH.parent
LONGEST = 300
"""Seconds after which a suite is given up: its commit is left out and counted as such."""

Outcomes = dict[str, str]


@dataclass
class Checkout:
    """The project ``name`` in ``work``: a clone, an environment, outcomes by tree."""

    name: str
    clone: Path
    work: Path
    needs: list[str]
    known: dict[str, Outcomes] = field(default_factory=dict)

    @property
    def tree(self) -> Path:
        """The working tree."""
        return self.work / "trees" / self.name

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.work / "venvs" / self.name / "bin" / "python"

    def git(self, *words: str) -> str:
        """Run git in the working tree; return what it printed."""
        done = subprocess.run(["git", "-C", str(self.tree), *words], capture_output=True, text=True,
                              check=True)  # fmt: skip
        return done.stdout.strip()

    def prepare(self) -> None:
        """Make the clone and the environment where they are not there yet."""
        if not (self.tree / ".git").exists():
            self.tree.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["git", "clone", "-q", "--shared", str(self.clone), str(self.tree)],
                           check=True)  # fmt: skip
            exclude = self.tree / ".git" / "info" / "exclude"
            exclude.write_text(
                ".aipipe/\n__pycache__/\n*.egg-info/\n_version.py\n", encoding="utf-8"
            )
        if not (self.python.parent / ".ready").exists():
            venv.create(self.work / "venvs" / self.name, with_pip=True)
            pip = [str(self.python), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, "--editable", str(PROJECT), *self.needs], check=True)
            subprocess.run([*pip, "--editable", str(self.tree)], check=True)
            (self.python.parent / ".ready").touch()

    def commits(self, count: int) -> list[str]:
        """Return the newest commits of the main line, oldest first, after the one before them."""
        head = self.git("rev-parse", "origin/HEAD")
        newest = f"--max-count={count + 1}"
        return self.git("rev-list", "--first-parent", newest, head).split()[::-1]

    def go_to(self, commit: str) -> None:
        """Check ``commit`` out, with nothing left of what was there."""
        self.git("checkout", "-q", "--force", "--detach", commit)
        self.git("clean", "-q", "-fd")

    def suite(self, *, cached: bool = True) -> Outcomes:
        """Return the whole suite's outcomes in the tree as it is; kept by the commit's tree."""
        key = self.git("rev-parse", "HEAD^{tree}")
        if cached and key in self.known:
            return self.known[key]
        found = self.pytest([])[0]
        if cached:
            self.known[key] = found
        return found

    @property
    def map(self) -> Path:
        """Where the plugin keeps what each test runs."""
        return self.tree / ".aipipe" / "store.db"

    def forget_map(self) -> None:
        """Let nothing be known of any test."""
        for suffix in ("", "-wal", "-shm"):
            self.map.with_name(f"{self.map.name}{suffix}").unlink(missing_ok=True)

    def keep_map(self, commit: str) -> None:
        """Keep the map as it is after ``commit``."""
        place = self._map_of(commit)
        place.parent.mkdir(parents=True, exist_ok=True)
        with closing(connect(self.map)) as now, closing(connect(place)) as kept:
            now.backup(kept)

    def use_map(self, commit: str) -> bool:
        """Put the map back as it was after ``commit``; return whether it was kept."""
        place = self._map_of(commit)
        if place.exists():
            self.forget_map()
            shutil.copy2(place, self.map)
        return place.exists()

    def _map_of(self, commit: str) -> Path:
        return self.work / "maps" / self.name / f"{commit}.db"

    def analyze(self, spec: str) -> dict[str, Any]:
        """Return what `aipipe analyze` says of ``spec`` in the environment of the tests.

        Raises CalledProcessError where it says nothing.
        """
        file = self.work / f"{self.name}.risk.json"
        argv = [str(self.python), "-m", "aipipe", "analyze", spec, "--json", str(file)]
        subprocess.run(argv, cwd=self.tree, env=self.surroundings(), capture_output=True,
                       text=True, check=True)  # fmt: skip
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def surroundings(self) -> dict[str, str]:
        """Return the environment variables of what runs in the tree."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "AIPIPE_"))}
        ours = os.pathsep.join([str(PROJECT), str(BENCH)])
        return {**kept, "PYTHONPATH": ours, "PYTHONDONTWRITEBYTECODE": "1"}

    def pytest(self, arguments: list[str]) -> tuple[Outcomes, int]:
        """Run pytest in the tree; return the outcomes and its exit code.

        A suite that cannot even begin is one failure named ``suite``.
        """
        file = self.work / f"{self.name}.outcomes.json"
        file.unlink(missing_ok=True)
        argv = [str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p",
                "route_outcomes", *arguments]  # fmt: skip
        surroundings = {**self.surroundings(), "ROUTE_OUTCOMES": str(file)}
        try:
            done = subprocess.run(argv, cwd=self.tree, env=surroundings, capture_output=True,
                                  text=True, check=False, timeout=LONGEST)  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"suite": "failed"}, 1
        try:
            found: Outcomes = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            print(f"{self.name}: {(done.stderr or done.stdout).strip()[-200:]}", file=sys.stderr)
            return {"suite": "failed"}, done.returncode
        return found, done.returncode


def failing(outcomes: Outcomes) -> set[str]:
    """Return what failed."""
    return {name for name, outcome in outcomes.items() if outcome == "failed"}


def load(path: Path) -> Any:
    """Return the JSON at ``path``, None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
