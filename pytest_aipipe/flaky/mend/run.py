"""Mend what has a known mend, and prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.hunt import Hunt
    from pytest_aipipe.flaky.lab import Lab


def mend(findings: Sequence[Finding], lab: Lab, hunt: Hunt, *, write: bool) -> None:
    """Give each finding its mend, where one holds."""
