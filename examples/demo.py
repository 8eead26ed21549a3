"""Show `pytest --ai-diff` on the order service: a commit, an edit that nobody tested, a run.

    python examples/demo.py [--keep DIR] [pytest options...]

The service is copied to a temporary folder and made a git repository there; the edit is
`orders/changes/vouchers.patch`. Nothing here is written to.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ORDERS = Path(__file__).parent / "orders"
IDENTITY = {
    "GIT_AUTHOR_NAME": "demo",
    "GIT_AUTHOR_EMAIL": "demo@example.org",
    "GIT_COMMITTER_NAME": "demo",
    "GIT_COMMITTER_EMAIL": "demo@example.org",
}


def git(folder: Path, *words: str) -> None:
    # A hook that calls this demo has GIT_DIR set; it must not reach the copy.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", *words], cwd=folder, env={**clean, **IDENTITY}, check=True)


def prepare(folder: Path) -> None:
    """A repository with the service committed and the edit in its working tree."""
    ignored = shutil.ignore_patterns("changes", "__pycache__", ".aipipe", ".pytest_cache")
    shutil.copytree(ORDERS, folder, dirs_exist_ok=True, ignore=ignored)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=The order service")
    git(folder, "apply", str(ORDERS / "changes" / "vouchers.patch"))


def run(folder: Path, options: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "--ai-diff", "--ai-write=tests/ai", *options]
    print(f"$ cd {folder.name} && git diff --stat", flush=True)
    git(folder, "--no-pager", "diff", "--stat")
    print(f"\n$ pytest {' '.join(command[3:])}", flush=True)
    code = subprocess.run(command, cwd=folder, check=False).returncode
    for written in sorted((folder / "tests" / "ai").glob("*.py")):
        print(f"\n$ cat {written.relative_to(folder)}\n{written.read_text()}", end="", flush=True)
    return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and leave it")
    arguments, options = parser.parse_known_args()
    if arguments.keep:
        prepare(arguments.keep)
        return run(arguments.keep, options)
    with tempfile.TemporaryDirectory(prefix="aipipe-demo-") as scratch:
        folder = Path(scratch) / "orders"
        prepare(folder)
        return run(folder, options)


if __name__ == "__main__":
    sys.exit(main())
