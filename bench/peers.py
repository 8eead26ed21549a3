"""Run Pynguin, CrossHair and the Hypothesis ghostwriter beside us, on the same real commits.

    python bench/peers.py --mirrors DIR [--corpus DIR] [--work DIR] [--only NAME ...] [--limit N]
                          [--budget SECONDS] [--peers NAME ...]

Every tool gets the same tree (a commit with its author's tests taken away), the same budget
in seconds for the change, and is judged in the same way, by the corpus' own `patchcov.py`:
the changed lines and branches that coverage.py sees run by its tests beside the old ones, the
tests that fail, and those that fail only when run once more under another hash seed. Each
peer is installed from PyPI into an environment of its own under WORK; one that does not
install, or writes nothing for a commit, is shown as that.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parent.parent
Case = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One tool on one commit."""

    python: Path
    tree: Path
    case: Case
    out: Path
    budget: float

    @property
    def modules(self) -> list[str]:
        """The dotted names of the changed modules."""
        found = []
        for file in self.case["files"]:
            path = Path(file)
            if self.case["path"] != ".":
                path = path.relative_to(self.case["path"])
            parts = path.with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        return found

    def run(self, *argv: object, seconds: float, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the job's environment in the tree."""
        env = {**os.environ, "PYTHONPATH": str(self.tree / self.case["path"]), **more}
        command = [str(self.python), *map(str, argv)]
        try:
            return subprocess.run(
                command, cwd=self.tree, env=env, capture_output=True, text=True,
                errors="replace", timeout=seconds, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            said = late.stdout or b""
            text = said if isinstance(said, str) else said.decode(errors="replace")
            return subprocess.CompletedProcess(command, 124, text, "out of time")

    def write(self, module: str, text: str) -> None:
        """Keep a file of tests, where it is one."""
        if "def test" in text:
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / f"test_{module.replace('.', '_')}_peer.py").write_text(text)


def ours(job: Job) -> None:
    """Run this project's plugin, as the corpus does."""
    base = job.case["parent"]
    addopts = () if job.case.get("keep_addopts") else ("-o", "addopts=")
    flags = (f"--ai-diff={base}", f"--ai-write={job.out}", f"--ai-budget={job.budget}")
    job.run("-m", "pytest", *flags, "-p", "no:cacheprovider", *addopts, seconds=10 * job.budget)


def pynguin(job: Job) -> None:
    """Search whole modules, the budget shared out among them."""
    share = max(1, int(job.budget / len(job.modules)))
    for module in job.modules:
        job.run(
            "-m", "pynguin", "--project-path", job.tree / job.case["path"],
            "--module-name", module, "--output-path", job.out,
            "--maximum-search-time", share, "--seed", "0",
            seconds=3 * share + 60, PYNGUIN_DANGER_AWARE="1", PYTHONHASHSEED="0",
        )  # fmt: skip


def crosshair(job: Job) -> None:
    """Solve for inputs of every function of the changed modules."""
    share = job.budget / len(job.modules)
    for module in job.modules:
        done = job.run(
            "-u", "-m", "crosshair", "cover", "--example_output_format", "pytest",
            "--per_condition_timeout", max(1.0, share / 10), module, seconds=share,
        )  # fmt: skip
        job.write(module, done.stdout)


def ghostwriter(job: Job) -> None:
    """Write one property test for each function of the changed modules."""
    code = "import sys; from hypothesis.extra.cli import main; sys.exit(main())"
    share = job.budget / len(job.modules)
    for module in job.modules:
        done = job.run("-c", code, "write", "--style", "pytest", module, seconds=share)
        job.write(module, done.stdout)


TOOLS: dict[str, tuple[str, Callable[[Job], None]]] = {
    "ours": (f"{PROJECT}", ours),
    "pynguin": ("pynguin", pynguin),
    "crosshair": ("crosshair-tool", crosshair),
    "ghostwriter": ("hypothesis[cli,ghostwriter]", ghostwriter),
}


@dataclass
class Sum:
    """What one tool reached over all commits."""

    gap_lines: int = 0
    closed_lines: int = 0
    gap_branches: int = 0
    closed_branches: int = 0
    tests: int = 0
    failing: int = 0
    changing: int = 0
    without: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        """Add one commit."""
        lines, hit, branches, taken = row["before"]
        self.gap_lines += lines - hit
        self.closed_lines += row["after"][1] - hit
        self.gap_branches += branches - taken
        self.closed_branches += row["after"][3] - taken
        self.tests += row["passed"] + row["failed"]
        self.failing += row["failed"]
        self.changing += max(0, row["failed_again"] - row["failed"])
        self.without += not row["passed"] + row["failed"]
        self.seconds.append(row["seconds"])

    def line(self, name: str) -> str:
        """Return the tool's row of the table."""
        return (
            f"{name:12} {f'{self.closed_lines}/{self.gap_lines}':>11}"
            f" {f'{self.closed_branches}/{self.gap_branches}':>11} {self.tests:6}"
            f" {self.failing:8} {self.changing:8} {self.without:8}"
            f" {statistics.median(self.seconds):8.0f}"
        )


def environment(work: Path, tool: str, case: Case) -> Path | None:
    """Return the Python of a tool's environment for a project; None where it does not install."""
    folder = work / "peers" / f"{tool}-{case['repo']}"
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    wanted = ["pytest", "coverage", "pytest-timeout", *case["deps"]]
    package = ["-e", TOOLS[tool][0]] if tool == "ours" else [TOOLS[tool][0]]
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", *wanted, *package], check=False
    )
    if done.returncode:
        return None
    (folder / "ready").touch()
    return python


def judged(patchcov: Any, job: Job, tool: Callable[[Job], None]) -> dict[str, Any]:
    """Run one tool and count what its tests reach."""
    changed = patchcov.added(job.tree, job.case)
    venv = job.python.parent.parent
    before, _ = patchcov.cov(job.tree, venv, job.case, [])
    started = time.monotonic()
    tool(job)
    seconds = time.monotonic() - started
    after, counts, again = {}, {}, {}
    if job.out.exists() and any(job.out.rglob("*.py")):
        after, counts = patchcov.cov(job.tree, venv, job.case, [str(job.out)])
        target = [str(job.out)]
        _, again = patchcov.cov(job.tree, venv, job.case, target, seed="12345", measure=False)
    failed = lambda found: found.get("failed", 0) + found.get("error", 0)  # noqa: E731
    return {
        "repo": job.case["repo"], "sha": job.case["sha"], "seconds": round(seconds, 1),
        "before": patchcov.score([before], changed),
        "after": patchcov.score([before, after], changed),
        "passed": counts.get("passed", 0), "failed": failed(counts), "failed_again": failed(again),
    }  # fmt: skip


def load(path: Path) -> Any:
    """Import the corpus' measure from its file."""
    spec = importlib.util.spec_from_file_location("patchcov", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--manifest", default="dev.json")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--peers", nargs="*", choices=TOOLS, default=list(TOOLS))
    asked = parser.parse_args()
    for wanted in (asked.corpus / "patchcov.py", asked.corpus / asked.manifest):
        if not wanted.is_file():
            parser.error(f"there is no {wanted}: docs/measuring.md says what a corpus has")
    patchcov = load(asked.corpus / "patchcov.py")
    work = asked.work.resolve()
    cases = json.loads((asked.corpus / asked.manifest).read_text())
    wanted = set(asked.only or ())
    chosen = [c for c in cases if not wanted or wanted & {c["repo"], c["sha"][:8]}][: asked.limit]
    sums = {name: Sum() for name in asked.peers}
    rows = []
    for case in chosen:
        for name in asked.peers:
            python = environment(work, name, case)
            if python is None:
                print(f"{name:12} does not install", flush=True)
                continue
            tree = patchcov.prepare(work, case, asked.mirrors)
            out = tree / patchcov.test_root(case) / "ai_generated"
            job = Job(python, tree, case, out, asked.budget)
            row = {"tool": name, **judged(patchcov, job, TOOLS[name][1])}
            rows.append(row)
            sums[name].add(row)
            print(
                f"{name:12} {case['repo']:15} {case['sha'][:8]} {row['seconds']:6.1f}s lines "
                f"{row['before'][1]}/{row['before'][0]} -> {row['after'][1]}, branches "
                f"{row['before'][3]}/{row['before'][2]} -> {row['after'][3]}, tests "
                f"{row['passed']} ok {row['failed']} bad, {row['failed_again']} on a second run",
                flush=True,
            )
            (work / "peers.json").write_text(json.dumps(rows, indent=1))
    if not rows:
        print("no commit was measured", file=sys.stderr)
        return 1
    heads = ("gap lines", "branches", "tests", "failing", "changing", "without", "median s")
    widths = (11, 11, 6, 8, 8, 8, 8)
    print("\n" + " " * 12 + "".join(f" {h:>{w}}" for h, w in zip(heads, widths, strict=True)))
    for name, one in sums.items():
        if one.seconds:
            print(one.line(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
