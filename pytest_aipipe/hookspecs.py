"""The hooks by which a conftest or another plugin extends ``pytest --ai-diff``.

They are always known to pytest, so that a conftest which implements one does not break a
run without ``--ai-diff``; they are only called with it. Where the plugin may be missing
(uninstalled, ``-p no:aipipe``), mark an implementation with
``@pytest.hookimpl(optionalhook=True)``: pytest refuses a hook that nobody has announced.
Our own engines come in by the same hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.hookspec
def pytest_aipipe_engines(config: pytest.Config) -> Sequence[Any] | None:
    """Return engines: objects with a ``name`` and ``propose(gap, scene)``.

    See :class:`pytest_aipipe.generate.model.Engine`. ``--ai-engine`` can name them;
    ``auto`` uses all of them after the embedded one.
    """


@pytest.hookspec
def pytest_aipipe_gate(config: pytest.Config) -> Sequence[Any] | None:
    """Return gate rules that a candidate must also pass, after our own."""


@pytest.hookspec
def pytest_aipipe_report(config: pytest.Config, report: dict[str, Any]) -> None:
    """Be told the finished report, as the JSON of the contract, once for each session.

    ``report`` is a copy; what is done to it changes nothing.
    """
