"""Checks with numbers: which of a test's assertions notice a mutant, and not only the first.

A test that is only measured, never written, ends in numbered checks instead of assertions.
Each is tried whatever became of those before it.

Standard library only: the child session reads the numbers.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

TRIPPED = "_aipipe_tripped"
"""The name in the test's module that holds the numbers of the checks that failed."""

HEADER = f"{TRIPPED} = []"
"""What a module with numbered checks says at its top."""


def numbered(assertions: Sequence[str]) -> list[str]:
    """Return the statements that try each of ``assertions`` and fail when one did not hold."""
    lines = [f"{TRIPPED}.clear()"]
    for number, one in enumerate(assertions):
        body = textwrap.indent(one, "    ")
        noted = f"    {TRIPPED}.append({number})"
        lines.append(f"try:\n{body}\nexcept Exception:\n{noted}")
    return [*lines, f"assert not {TRIPPED}"]


def tripped_in(item: pytest.Item) -> list[int]:
    """Return the numbers of the checks that failed in the last run of ``item``, and forget them."""
    noted: list[int] = getattr(getattr(item, "module", None), TRIPPED, [])
    found = list(noted)
    noted.clear()
    return found
