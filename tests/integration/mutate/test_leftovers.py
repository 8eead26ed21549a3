"""What code under trial writes into the temporary folder is gone when the trial is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.mutate.host import Trial, run_mutants
from pytest_aipipe.mutate.make import make_mutants

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SHAPES = """\
import os
import tempfile


def edit(text):
    handle, name = tempfile.mkstemp(prefix="left-")
    os.close(handle)
    return len(text) + len(os.path.basename(name)) * 0
"""


def test_mutants_leave_nothing_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, outer = tmp_path / "project", tmp_path / "outer"
    root.mkdir()
    outer.mkdir()
    (root / "shapes.py").write_text(SHAPES)
    test = "from shapes import edit\n\n\ndef test_edit():\n    assert edit('ab') == 2\n"
    (root / "test_shapes.py").write_text(test)
    monkeypatch.setenv("TMPDIR", str(outer))
    mutants = make_mutants(SHAPES, frozenset(range(1, 9)))
    score = run_mutants(
        ["test_shapes.py"],
        {str(root / "shapes.py"): mutants},
        Trial(root, (str(root),), ()),
        seconds=60,
    )
    assert score.results
    assert any(result.killers for result in score.results)
    assert list(outer.iterdir()) == []
