"""The state that tests share is told by the place where it is held."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from pytest_aipipe.flaky.child.state import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_an_attribute_of_a_class_is_told_although_another_module_imported_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "held_home.py").write_text("class Shop:\n    count = 0\n")
    (tmp_path / "held_user.py").write_text("from held_home import Shop\n")
    monkeypatch.syspath_prepend(tmp_path)
    user = importlib.import_module("held_user")
    try:
        before = Snapshot(str(tmp_path))
        user.Shop.count = 2
        keys = [row["key"] for row in before.changes()]
        assert "attribute:held_home.Shop.count" in keys
        before.restore(["attribute:held_home.Shop.count"])
        assert user.Shop.count == 0
    finally:
        del sys.modules["held_user"], sys.modules["held_home"]
