"""A class that a candidate defines is at hand in it, and is never imported."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.explore.rebuild import CANDIDATE, import_of

if TYPE_CHECKING:
    from typing import Any


@pytest.mark.parametrize("name", [CANDIDATE, f"tests.unit.{CANDIDATE}"])
def test_what_the_candidate_defines_needs_no_import(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module: Any = types.ModuleType(name)
    exec("class Helper: ...", module.__dict__)
    monkeypatch.setitem(sys.modules, name, module)
    assert import_of(module.Helper) == ("", "Helper")
