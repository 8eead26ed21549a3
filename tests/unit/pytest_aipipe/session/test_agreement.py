from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_aipipe.select.decide import Selection
from pytest_aipipe.session.agreement import agreed

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_worker_decides_for_all(tmp_path: Path) -> None:
    first = Selection(2, {"t::one": "new"}, {"t::two": "nothing"})
    other = Selection(2, {"t::two": "new"}, {})
    assert agreed(tmp_path, "s1", lambda: (first, ["t::one"])) == (first, ["t::one"])
    assert agreed(tmp_path, "s1", lambda: (other, ["t::two"])) == (first, ["t::one"])


def test_another_session_decides_anew_and_old_decisions_are_forgotten(tmp_path: Path) -> None:
    one = Selection(1, {"t::one": "new"}, {})
    agreed(tmp_path, "s1", lambda: (one, []))
    old = tmp_path / ".aipipe" / "select" / "s1.json"
    os.utime(old, (0, 0))
    agreed(tmp_path, "s2", lambda: (one, ["t::one"]))
    assert not old.exists()
