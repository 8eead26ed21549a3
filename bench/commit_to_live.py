"""From commit to live: the example service through its whole pipeline, on the real engine.

    python bench/commit_to_live.py [--watch 20] [--json FILE] [--keep DIR] [--only low,medium]

The order service is copied to a folder of its own and released once, not timed. Then three
changes are committed one after the other (`examples/orders/changes/`): one that is assessed low,
one medium, one high. The clock starts before `git commit`; `aipipe run HEAD~1..HEAD` then
analyses, tests, builds with BuildKit, and releases behind HAProxy, with users asking 50 times a
second all the while. Printed are the seconds of each stage, the seconds from the commit until
the new version had all traffic, and until the run was over: the watch is short here
(`deploy.watch` in the configuration, --watch; a canary's steps a third of it), in production it
is the route's. Needs a Docker engine with the image python:3.11-slim, and haproxy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from deploy_load import Load  # noqa: E402
from deploy_shop import docker, free_port  # noqa: E402

ORDERS = ROOT / "examples" / "orders"
CHANGES = (
    ("low", "wording", "Name the item whose quantity is refused"),
    ("medium", "vouchers", "Add vouchers"),
    ("high", "tokens", "Ask for a token"),
)
STAGES = ("compile", "test", "smoke", "build", "deploy")
LONGEST = 900
SHORT = """
[deploy.proxy]
bind = "127.0.0.1"

[deploy.watch]
seconds = {watch}
high_risk_seconds = {watch}
step_seconds = {step}

[deploy.calendar]
quiet = []
"""


class Orders:
    """The example in a repository of its own, its image and project named for this run alone."""

    def __init__(self, folder: Path, watch: float) -> None:
        self.folder = folder
        self.name = f"live{os.getpid() % 100_000}"
        self.port, self.smoke = free_port(), free_port()
        shutil.copytree(
            ORDERS,
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("changes", "__pycache__", ".aipipe"),
        )
        self._rename(
            "pipeline.yaml", ("orders:latest", f"{self.name}:latest"), ("8765", str(self.smoke))
        )
        self._rename(
            "aipipe.toml",
            ('"orders"', f'"{self.name}"'),
            ("orders:latest", f"{self.name}:latest"),
            ("8080", str(self.port)),
        )
        with (folder / "aipipe.toml").open("a", encoding="utf-8") as file:
            file.write(SHORT.format(watch=watch, step=round(watch / 3, 1)))
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("The order service")

    def _rename(self, file: str, *pairs: tuple[str, str]) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{file} names no {old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def git(self, *words: str) -> None:
        """Run git there."""
        who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
        subprocess.run(["git", *who, *words], cwd=self.folder, env=surroundings(), check=True)

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={message}")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours there."""
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env=surroundings(),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )

    def newest(self, name: str) -> dict[str, Any]:
        """Return a document of the newest run; empty where it has none."""
        runs = (self.folder / ".aipipe" / "runs").glob("*/run.json")
        folder = max(runs, key=lambda path: path.parent.name).parent
        path = folder / f"{name}.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def end(self) -> None:
        """Take everything away: proxy, containers, network, images."""
        from aipipe_deploy.config import load_deploy
        from aipipe_deploy.proxy import proxy_for

        deploy = load_deploy(self.folder)
        proxy_for(deploy, self.folder / deploy.state).end()
        names = docker("ps", "-aq", "--filter", f"label=dev.aipipe.project={self.name}").split()
        if names:
            docker("rm", "--force", *names)
        docker("network", "rm", self.name, check=False)
        docker("rmi", "--force", f"{self.name}:latest", check=False)


def surroundings() -> dict[str, str]:
    """Return the environment: this checkout's code, nothing of an outer repository or run."""
    strange = ("GIT_", "AIPIPE_", "PYTEST_", "PIPELINE_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(strange)}
    return {**kept, "PYTHONPATH": str(ROOT)}


def measured(orders: Orders, wanted: str, patch: str, message: str) -> dict[str, Any]:
    """Bring one change live; return its row."""
    orders.git("apply", str(ORDERS / "changes" / f"{patch}.patch"))
    load = Load(f"http://127.0.0.1:{orders.port}/health", connections=4, rate=50, seconds=LONGEST)
    load.start()
    began = time.time()
    orders.commit(message)
    done = orders.run("aipipe", "run", "HEAD~1..HEAD")
    over = time.time() - began
    load.end()
    users = load.result()
    run, risk, release = (orders.newest(name) for name in ("run", "risk", "deploy"))
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-2000:], file=sys.stderr)
    shifts = [move["at"] for move in release.get("moves", ()) if move["kind"] == "shift"]
    live = release["started"] + max(shifts) - began if shifts else None
    return {
        "wanted": wanted,
        "code": done.returncode,
        "level": risk["risk"]["level"],
        "route": risk["route"],
        "state": release.get("state", "none"),
        "strategy": release.get("strategy", ""),
        "live": live,
        "over": over,
        "stages": {stage["name"]: stage["seconds"] for stage in run["stages"]},
        "text": release.get("text", ""),
        "requests": users.get("sent"),
        "lost": users.get("lost"),
    }


def tell(rows: list[dict[str, Any]], watch: float) -> None:
    """Print the table."""
    print(f"seconds from commit to live; the watch is {watch:g} s long")
    names = "".join(f"{name:>9}" for name in (*STAGES, "live", "over"))
    print(f"{'change':<8} {'assessed':<9} {'tests':<11} {'release':<11}{names}  requests, lost")
    for row in rows:
        seconds = "".join(f"{row['stages'].get(name) or 0.0:9.1f}" for name in STAGES)
        live = f"{row['live']:9.1f}" if row["live"] is not None else f"{'-':>9}"
        print(
            f"{row['wanted']:<8} {row['level']:<9} {row['route']['tests']:<11} "
            f"{row['strategy']:<11}{seconds}{live}{row['over']:9.1f}  "
            f"{row['requests']}, {row['lost']}  {row['state']}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--watch", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the repository there")
    parser.add_argument("--only", default="low,medium,high")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="live-"))
    orders = Orders(folder, options.watch)
    rows = []
    try:
        first = orders.run("aipipe_build", "run", "--tag", f"{orders.name}:latest", ".")
        assert first.returncode == 0, first.stdout + first.stderr
        first = orders.run("aipipe_deploy", "up")
        assert first.returncode == 0, first.stdout + first.stderr
        wanted = [change for change in CHANGES if change[0] in options.only.split(",")]
        rows = [measured(orders, *change) for change in wanted]
    finally:
        orders.end()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    tell(rows, options.watch)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(any(row["code"] or row["level"] != row["wanted"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
