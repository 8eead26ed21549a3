from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_aipipe import rewriting

if TYPE_CHECKING:
    import pytest


class Hook:
    def __init__(self) -> None:
        self._must_rewrite = {"pytest_aipipe", "pytest_aipipe.plugin", "xdist", "helpers"}
        self._marked_for_rewrite_cache = {"xdist": True}

    def find_spec(self, *_: Any) -> None:
        return None


def test_only_the_unneeded_names_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = Hook()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, hook])
    rewriting.spare(lambda name: name == "pytest_aipipe")
    assert hook._must_rewrite == {"xdist", "helpers"}
    assert hook._marked_for_rewrite_cache == {}


def test_what_is_installed_is_a_library_and_what_is_not_is_the_projects(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_helpers.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert rewriting.is_library("xdist")
    assert rewriting.is_library("pytest_aipipe")
    assert not rewriting.is_library("their_helpers")
    assert not rewriting.is_library("no_such_module_at_all")
