"""A plugin that only makes our hooks known: ``-p pytest_aipipe.hooks``.

For a pytest that runs with ``-p no:aipipe`` on a project whose conftest implements one of
them: pytest refuses a hook that it has never heard of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe import hookspecs

if TYPE_CHECKING:
    import pytest


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the hooks known, unless the whole plugin has done so."""
    if not hasattr(pluginmanager.hook, "pytest_aipipe_engines"):
        pluginmanager.add_hookspecs(hookspecs)
