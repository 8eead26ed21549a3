"""A test in quarantine runs, is told of, and never fails the session."""

from __future__ import annotations

import json
from typing import Any

TESTS = """\
import pathlib

import pytest


@pytest.mark.aipipe_quarantine(reason="clock: near midnight", since="2024-05-01", steady_after=3)
def test_flaky():
    assert not pathlib.Path("bad").exists()


def test_plain():
    assert True
"""


def passes(folder: Any) -> int:
    ledger = json.loads((folder.root / ".aipipe" / "quarantine.json").read_text())
    return int(ledger["test_q.py::test_flaky"]["passes"])


def test_a_failure_does_not_fail_the_session_and_is_reported(folder: Any) -> None:
    folder.put(test_q=TESTS)
    (folder.root / "bad").touch()
    ran = folder.pytest("--strict-markers")
    assert ran.returncode == 0
    assert "1 passed, 1 xfailed" in ran.stdout
    assert (
        "test_q.py::test_flaky failed; in quarantine since 2024-05-01: clock: near midnight"
        in ran.stdout
    )
    assert passes(folder) == 0


def test_it_is_lifted_after_enough_passes_and_then_fails_again(folder: Any) -> None:
    folder.put(test_q=TESTS)
    for count in (1, 2, 3):
        ran = folder.pytest()
        assert ran.returncode == 0
        assert passes(folder) == count
    assert "steady through 3 runs: the quarantine is lifted" in ran.stdout
    (folder.root / "bad").touch()
    assert folder.pytest().returncode == 1


def test_a_failure_starts_the_count_again(folder: Any) -> None:
    folder.put(test_q=TESTS)
    folder.pytest()
    (folder.root / "bad").touch()
    folder.pytest()
    (folder.root / "bad").unlink()
    folder.pytest()
    assert passes(folder) == 1


def test_without_a_mark_nothing_is_written(folder: Any) -> None:
    folder.put(test_q="def test_plain():\n    assert True\n")
    assert "quarantine" not in folder.pytest().stdout
    assert not (folder.root / ".aipipe").exists()
