"""What the measurements run on: clones of a few commits, a corpus of them, no package index."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.docs import shop

TOP = Path(__file__).parents[3]
CORPUS = Path(__file__).with_name("corpus")

_GUARD = "    if not prices:\n        return 0.0\n"
_TEST = shop.FILES["tests/test_price.py"]
_NOTHING = "\n\ndef test_nothing_costs_nothing():\n    assert total([], 0.5) == 0.0\n"
_SHIPPING = '''

def shipping(weight: float) -> float:
    """Return what a parcel costs."""
    if weight > 30:
        raise ValueError("too heavy")
    return 4.9 if weight <= 2 else 9.9
'''
_PARCEL = "\n\ndef test_a_small_parcel():\n    assert shipping(1) == 4.9\n"
_REFUND = '''

def refund(paid: float, days: int) -> float:
    """Return what is given back."""
    return paid if days < 15 else 0.0
'''
_GIVEN_BACK = """

def test_it_is_given_back_for_two_weeks():
    assert [refund(8.0, days) for days in (14, 15, 16)] == [8.0, 0.0, 0.0]
"""
SOUND = shop.FILES["shop/price.py"]


def _history(folder: Path) -> list[str]:
    """Make the shop's repository: a bug, a page, its fix, two functions; return the commits.

    The tests leave much of the first function open, and nothing of the second: whichever
    faults a measurement draws there, its suite fails.
    """
    folder.mkdir(parents=True)
    shop.git(folder, "init", "--quiet", "--initial-branch=main")
    average = SOUND.replace("sum(prices)", "sum(prices) / len(prices) * len(prices)")
    shop.write(folder, {**shop.FILES, "shop/price.py": average.replace(_GUARD, "")})
    shop.commit(folder, "The shop")
    shop.write(folder, {"README.md": "# The shop\n\nIt sells.\n"})
    shop.commit(folder, "Say what it does")
    shop.write(folder, {"shop/price.py": average, "tests/test_price.py": _TEST + _NOTHING})
    shop.commit(folder, "Fix the total of nothing")
    tests = _TEST.replace("import total", "import shipping, total") + _NOTHING + _PARCEL
    shop.write(folder, {"shop/price.py": average + _SHIPPING, "tests/test_price.py": tests})
    shop.commit(folder, "Send parcels")
    tests = tests.replace("import shipping", "import refund, shipping") + _GIVEN_BACK
    price = average + _SHIPPING + _REFUND
    shop.write(folder, {"shop/price.py": price, "tests/test_price.py": tests})
    shop.commit(folder, "Give back what was paid")
    listed = subprocess.run(
        ["git", "rev-list", "--reverse", "HEAD"], cwd=folder, capture_output=True, check=True
    )
    return listed.stdout.decode().split()


def _case(commits: list[str], number: int, **more: str) -> dict[str, Any]:
    return {
        "repo": "shop", "github": "shop/shop", "sha": commits[number], "path": ".", "deps": [],
        "parent": commits[number - 1], "files": ["shop/price.py"], "subject": f"commit {number}",
        "test_files": ["tests/test_price.py"], **more,
    }  # fmt: skip


def installed(folder: Path, ready: str) -> None:
    """Make what looks like an environment where everything is installed: this Python's."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (folder / ready).touch()


def prepare(folder: Path, _: dict[str, str]) -> None:
    """Lay out a folder in which the page's commands can be typed as they stand there."""
    (folder / "bench").symlink_to(TOP / "bench", target_is_directory=True)
    clones, corpus, work = folder / "CLONES", folder / "CORPUS", folder / "bench-work"
    commits = _history(clones / "shop+shop" / "repo")
    for name in ("one", "two"):
        shop.prepare_past(clones / f"past+{name}" / "repo", commits=240, apart=6)
    shutil.copytree(CORPUS, corpus, ignore=shutil.ignore_patterns("__pycache__"))
    (corpus / "dev.json").write_text(json.dumps([_case(commits, 3)]), encoding="utf-8")
    fix = _case(commits, 2, kind="fix")
    (corpus / "catch.json").write_text(json.dumps([fix]), encoding="utf-8")
    installed(work / "peers" / "ours-shop", "ready")
    installed(work / "venvs" / "shop", "bin/.ready")
    listed = '[shop]\nclone = "shop+shop"\nneeds = []\n'
    (folder / "projects.toml").write_text(listed, encoding="utf-8")


def is_measured(folder: Path) -> None:
    """Hold what the benches kept beside their tables."""

    def kept(name: str) -> Any:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    (reached,) = kept("bench-work/rows.json")
    assert reached["before"] == [4, 1, 2, 0]
    assert reached["after"][1] >= 1
    (bug,) = kept("bench-work/catch-rows.json")
    assert bug["said"] >= len(bug["caught"])
    (ours,) = kept("bench-work/peers.json")
    assert (ours["tool"], ours["before"]) == ("ours", [4, 1, 2, 0])
    assert (ours["failed"], ours["failed_again"]) == (0, 0)
    replayed = kept("route.json")["shop"]
    assert len(replayed["rows"]) == 2
    assert [bool(fault["caught"]) for fault in replayed["faults"].values()] == [True]
