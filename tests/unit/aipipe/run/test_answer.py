"""What an agent prints as its last line is kept as a document of the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aipipe.run.stage import keep_answer

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_object_that_was_printed_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('release 1\n{"state": "running"}\n{"state": "done"}\n{broken\nbye\n')
    keep_answer(log, tmp_path / "deploy.json")
    assert json.loads((tmp_path / "deploy.json").read_text()) == {"state": "done"}


def test_without_an_answer_nothing_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("it did not come to that\n[1]\n")
    keep_answer(log, tmp_path / "deploy.json")
    assert not (tmp_path / "deploy.json").exists()
