"""The entry module: registers options and hooks, and starts the rest when asked.

It imports the standard library and pytest only (and our table of flags, which does the
same). Without ``--ai-diff`` nothing else of ours is ever imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe import flags, hookspecs

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every ``--ai-...`` option and its ini twin."""
    flags.register(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make our hooks known, with or without ``--ai-diff``."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Start before any conftest imports the code that is to be measured.

    Neither first nor last: pytest-cov starts with ``tryfirst`` and has to come before us,
    pytest loads the conftests with ``trylast``.
    """
    if flags.asked_for(early_config):
        from pytest_aipipe import rewriting

        rewriting.spare(rewriting.is_ours)
        from pytest_aipipe.session.start import start

        start(early_config, args)
    if flags.hunts(early_config) or flags.asked_for(early_config):
        from pytest_aipipe.flaky.session import start as start_flaky

        start_flaky(early_config, args)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark of the quarantine known."""
    config.addinivalue_line("markers", flags.QUARANTINE_HELP)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Look after the tests in quarantine, where there are any."""
    kept = [item for item in items if item.get_closest_marker(flags.QUARANTINE) is not None]
    if kept:
        from pytest_aipipe.flaky.quarantine import begin

        begin(config, kept)
