"""A pytest plugin that writes what became of each test to the file in ``ROUTE_OUTCOMES``.

One JSON object: node id to ``passed``, ``failed`` or ``skipped``; a file that cannot be
collected is there under its own node id as ``failed``.
"""

import json
import os
from pathlib import Path

import pytest

_found: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the worst of a test's phases."""
    if report.failed:
        _found[report.nodeid] = "failed"
    elif report.when == "call" or report.skipped:
        _found.setdefault(report.nodeid, report.outcome)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep what could not be collected."""
    if report.failed:
        _found[report.nodeid or "collection"] = "failed"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes; under xdist only the process that leads."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["ROUTE_OUTCOMES"]).write_text(json.dumps(_found), encoding="utf-8")
