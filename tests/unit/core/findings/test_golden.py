"""Each renderer against a golden file; AIPIPE_WRITE_GOLDEN=1 writes them anew for review."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aipipe_core.findings import KINDS, render

sys.path.insert(0, str(Path(__file__).parent))
from samples import PLAIN, hostile

GOLDEN = Path(__file__).parents[3] / "data" / "findings"


@pytest.mark.parametrize("report", ["plain", "hostile"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_report_is_rendered_as_its_golden_file_says(kind: str, report: str) -> None:
    text = render(PLAIN if report == "plain" else hostile(), kind)
    golden = GOLDEN / f"{report}.{kind}.txt"
    if os.environ.get("AIPIPE_WRITE_GOLDEN"):
        golden.write_bytes(text.encode())
    assert text == golden.read_bytes().decode()
