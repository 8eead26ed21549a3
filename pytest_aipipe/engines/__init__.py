"""The embedded engine: candidates for a gap with no model, from the sources alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_aipipe.generate.model import Engine


def default_engines() -> list[Engine]:
    """Return the engines that need nothing but what is installed, in the order to ask them."""
    from pytest_aipipe.engines.local import LocalEngine

    return [LocalEngine()]
