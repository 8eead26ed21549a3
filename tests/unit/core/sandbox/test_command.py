"""A sandboxed command, run to its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aipipe_core.sandbox.command import Command, run

if TYPE_CHECKING:
    from pathlib import Path

LOST = "bwrap: Can't bind mount /oldroot/ on /newroot/: No such file or directory"


def shell(text: str, folder: Path) -> Command:
    return Command(("/bin/sh", "-c", text), dict(os.environ), folder, "none")


def test_a_mount_that_went_away_is_tried_once_more(tmp_path: Path) -> None:
    text = f'if [ -e tried ]; then cat; else touch tried; echo "{LOST}" >&2; exit 1; fi'

    outcome = run(shell(text, tmp_path), stdin=b"given")

    assert (outcome.returncode, outcome.stdout) == (0, b"given")


def test_a_sandbox_that_cannot_be_made_is_not_tried_for_ever(tmp_path: Path) -> None:
    outcome = run(shell(f'echo x >> count; echo "{LOST}" >&2; exit 1', tmp_path))

    assert outcome.returncode == 1
    assert (tmp_path / "count").read_text() == "x\n" * 3


def test_a_program_that_fails_runs_once(tmp_path: Path) -> None:
    outcome = run(shell("echo x >> count; exit 1", tmp_path))

    assert outcome.returncode == 1
    assert (tmp_path / "count").read_text() == "x\n"
