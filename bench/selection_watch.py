"""A pytest plugin of the selection bench: what was collected, how it went, and what ran.

It knows nothing of the selection that is measured but where to ask for its time. The file
named by SELECTION_OUT gets the node ids in their order, verdicts and seconds by test; with
SELECTION_FILES (a JSON list) also the lines of these files that each test ran, by a
coverage.py of its own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

state: dict = {"items": [], "verdicts": {}, "seconds": {}, "lines": {}, "select": None}
files = json.loads(os.environ.get("SELECTION_FILES", "[]"))
measure: list = []  # a coverage.py, where lines are asked for


def pytest_configure() -> None:
    if files:
        from coverage import Coverage

        one = Coverage(data_file=None, include=files, config_file=False, messages=False)
        one.set_option("run:core", "ctrace")
        one.start()
        measure.append(one)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("SELECTION_WITHOUT"):
        some = set(json.loads(Path(os.environ["SELECTION_WITHOUT"]).read_text("utf-8")))
        items[:] = [item for item in items if item.nodeid not in some]


def pytest_collection_finish(session: pytest.Session) -> None:
    state["items"] = [item.nodeid for item in session.items]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    for one in measure:
        one.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        for one in measure:
            one.switch_context("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = report.nodeid
    if report.failed:
        state["verdicts"][name] = "failed"
    else:
        state["verdicts"].setdefault(name, report.outcome)
    state["seconds"][name] = state["seconds"].get(name, 0.0) + report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    for one in measure:
        one.stop()
        data = one.get_data()
        for context in data.measured_contexts() - {""}:
            data.set_query_context(context)
            ran = {file: data.lines(file) for file in data.measured_files()}
            state["lines"][context] = {file: lines for file, lines in ran.items() if lines}
    host = session.config.pluginmanager.getplugin("aipipe-session")
    if host is not None:
        state["select"] = host.run.timing.get("select")
        state["reasons"] = dict(host.run.selection.reasons)
        state["notes"] = list(host.run.notes)
    Path(os.environ["SELECTION_OUT"]).write_text(json.dumps(state), encoding="utf-8")
