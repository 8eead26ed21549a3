"""A day in the life: ten commits on the example service, each decided, predicted and built.

    python bench/build_day.py [--json FILE]

The service is copied into a repository of its own. Each commit is built with
``aipipe-build run``; the table has the decision, how many steps were predicted and found cached,
and the seconds beside those that a plain ``docker build`` with an empty cache takes.
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
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ORDERS = Path(__file__).parent.parent / "examples" / "orders"
IDENTITY = {
    "GIT_AUTHOR_NAME": "bench",
    "GIT_AUTHOR_EMAIL": "bench@example.org",
    "GIT_COMMITTER_NAME": "bench",
    "GIT_COMMITTER_EMAIL": "bench@example.org",
}
Edit = Callable[[Path], object]


@dataclass
class Row:
    """One commit."""

    commit: str
    decision: str
    predicted: str
    fact: str
    right: str
    result: str
    seconds: float
    saved: float
    uncached: float
    why: str


def append(name: str, text: str) -> Edit:
    """Return an edit that adds to a file."""

    def edit(root: Path) -> None:
        path = root / name
        path.write_text(path.read_text() + text)

    return edit


def replace(name: str, old: str, new: str) -> Edit:
    """Return an edit that replaces something in a file."""

    def edit(root: Path) -> None:
        text = (root / name).read_text()
        if old not in text:
            raise ValueError(f"{old!r} is not in {name}")
        (root / name).write_text(text.replace(old, new))

    return edit


COMMITS: list[tuple[str, Edit]] = [
    ("the service as it is", lambda _: None),
    ("a typo in the readme", append("README.md", "\nOne more sentence.\n")),
    ("a fix in the basket", append("orders/basket.py", "\nROUNDING = 2\n")),
    (
        "a test for it",
        append("tests/test_basket.py", "\n\ndef test_rounding():\n    assert True\n"),
    ),
    ("a comment in requirements.txt", append("requirements.txt", "# nothing yet\n")),
    ("a new dependency", append("requirements.txt", "six==1.16.0\n")),
    ("another port", replace("Dockerfile", "ORDERS_PORT=8000", "ORDERS_PORT=8001")),
    ("a label", append("Dockerfile", "LABEL team=orders\n")),
    ("the basket fix taken back", replace("orders/basket.py", "\nROUNDING = 2\n", "")),
    ("the command compiles more", replace("Dockerfile", "python3.11/json", "python3.11/email")),
]


def git(folder: Path, *words: str) -> None:
    """Run git with an identity of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", *words], cwd=folder, env={**clean, **IDENTITY}, check=True)


def run(folder: Path, tag: str) -> dict[str, Any]:
    """Build one commit and return its image's row of the document."""
    command = [sys.executable, "-m", "aipipe_build.cli", "run", "--json", "-t", tag, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-800:])
    (image,) = json.loads(done.stdout)["images"]
    return dict(image)


def uncached(folder: Path) -> float:
    """Return the seconds of a build that may use no cache."""
    started = time.monotonic()
    command = ["docker", "build", "--quiet", "--no-cache", "."]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - started


def day(folder: Path, name: str) -> list[Row]:
    """Make the commits and build each."""
    ignored = shutil.ignore_patterns("changes", "__pycache__", ".aipipe", ".pytest_cache")
    shutil.copytree(ORDERS, folder, dirs_exist_ok=True, ignore=ignored)
    # So that the first build of each run of this bench finds nothing cached.
    replace(
        "Dockerfile", "WORKDIR /srv", f"ENV BENCH={name.rpartition('/')[2]}\nRUN true\nWORKDIR /srv"
    )(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    rows: list[Row] = []
    for number, (title, edit) in enumerate(COMMITS):
        edit(folder)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--allow-empty", f"--message={title}")
        image = run(folder, f"{name}:{number}")
        rows.append(row(title, image, uncached(folder)))
        print(line(rows[-1]), flush=True)
    return rows


def row(title: str, image: dict[str, Any], plain: float) -> Row:
    """Return a commit's row; an image that was only tagged ran none of its steps."""
    steps = image["steps"]
    hits = sum(step["verdict"] == "hit" for step in steps)
    cached = sum(step["fact"] == "cached" for step in steps)
    right = sum(step["agreement"] == "right" for step in steps)
    return Row(
        commit=title,
        decision=image["decision"],
        predicted=f"{hits} of {len(steps)}" if steps else "all",
        fact=f"{cached} of {len(steps)}" if steps else "nothing ran",
        right=f"{right} of {len(steps)}" if steps else "",
        result=image["result"],
        seconds=image["seconds"],
        saved=image["saves_seconds"],
        uncached=round(plain, 1),
        why=image["reason"],
    )


def line(one: Row) -> str:
    """Return a row as text."""
    return (
        f"{one.commit:30} {one.decision:13} {one.predicted:>9} {one.fact:>12} {one.right:>7}"
        f" {one.result:>9} {one.seconds:7.1f} s {one.saved:7.1f} s {one.uncached:8.1f} s  {one.why}"
    )


def main() -> int:
    """Run the day and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    name = f"aipipe-day/{uuid.uuid4().hex[:10]}"
    heads = ("predicted", "was cached", "right", "result", "took", "saved", "no cache")
    print(f"{'commit':30} {'decision':13} {heads[0]:>9} {heads[1]:>12} {heads[2]:>7}"
          f" {heads[3]:>9} {heads[4]:>9} {heads[5]:>9} {heads[6]:>10}  why")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="aipipe-day-") as folder:
        try:
            rows = day(Path(folder), name)
        finally:
            tags = [f"{name}:{number}" for number in range(len(COMMITS))]
            subprocess.run(
                ["docker", "image", "rm", "--force", *tags], check=False, capture_output=True
            )
    wrong = sum(bool(one.right) and len(set(one.right.split(" of "))) > 1 for one in rows)
    took, plain = sum(one.seconds for one in rows), sum(one.uncached for one in rows)
    print(f"{took:.1f} s for the day, {plain:.1f} s without a cache; {wrong} predicted wrongly")
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(one) for one in rows], indent=1))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
