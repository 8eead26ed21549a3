"""What candidates write into the temporary folder is gone when the session is over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CODE = """\
import os
import tempfile


def edit(text):
    handle, name = tempfile.mkstemp(prefix="left-")
    os.close(handle)
{more}    return len(text)
"""
TEST = "from editor import edit\n\n\ndef test_edit():\n    assert edit('ab') == 2\n"
MORE = "    if len(text) > 5:\n        return 2 * len(text)\n"


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_only_the_sessions_own_tests_leave_files(
    project: Any, tmp_path: Path, sandbox: str
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    project.put({"editor.py": CODE.format(more=""), "tests/test_editor.py": TEST})
    project.git("checkout", "-q", "--", "calc.py")
    project.commit()
    project.put({"editor.py": CODE.format(more=MORE)})
    asked = ("--ai-diff", "--ai-budget=10", f"--ai-sandbox={sandbox}", "--ai-report=json:out.json")
    ran = project.pytest(*asked, env={"TMPDIR": str(outer)})
    report = project.report()
    assert report["tests"], ran.text
    passed = re.search(r"(\d+) passed", ran.text)
    assert passed is not None
    left = [path.name for path in outer.rglob("*") if path.is_file()]
    assert all(name.startswith("left-") for name in left)
    assert len(left) <= int(passed[1])
    assert not [path for path in outer.iterdir() if path.name.startswith("aipipe-")]
