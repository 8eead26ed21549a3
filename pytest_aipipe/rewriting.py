"""Which modules pytest rewrites the assertions of: not ours, and in a child no library's.

pytest rewrites every module of every distribution that brings a plugin, and where no
bytecode may be written (a read-only tree, a fresh CI machine) it parses and compiles all of
them anew at each start. That costs a child more than everything else it does. Their
assertions are nobody's tests, so the ordinary import, with its bytecode, serves them.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = frozenset({"pytest_aipipe", "aipipe_core"})
LIBRARIES = ("site-packages", "dist-packages")


def spare(unneeded: Callable[[str], bool]) -> None:
    """Take from pytest's list the modules whose top-level name is ``unneeded``."""
    for finder in sys.meta_path:
        # pytest has no public way to take a name back; without these attributes all stays.
        listed: Any = getattr(finder, "_must_rewrite", None)
        known: Any = getattr(finder, "_marked_for_rewrite_cache", None)
        if isinstance(listed, set) and isinstance(known, dict):
            answers: dict[str, bool] = {}
            for name in tuple(listed):
                top = name.partition(".")[0]
                if top not in answers:
                    answers[top] = unneeded(top)
                if answers[top]:
                    listed.discard(name)
            known.clear()


def is_ours(name: str) -> bool:
    """Whether the top-level ``name`` is a package of ours."""
    return name in OURS


def is_library(name: str) -> bool:
    """Whether the top-level ``name`` is installed, and no part of the project that is tested."""
    if is_ours(name):
        return True
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return False
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec else []
    return any(f"/{folder}/" in place for place in places for folder in LIBRARIES)
