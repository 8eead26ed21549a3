"""Quarantine: a flaky test runs, is reported in every run, and never fails the session.

The mark says why and since when, and after how many passes in a row the test counts as
steady again. ``.aipipe/quarantine.json`` counts them; a failure starts the count again, and
once it is reached the mark has no effect any more: it is lifted by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.flags import QUARANTINE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterable
    from pathlib import Path

NAME = "aipipe-quarantine"
LEDGER = "quarantine.json"
STEADY_AFTER = 60
"""Passes in a row that lift a mark which names no number of its own: a test that fails once
in twenty runs gets so far with a probability of 5 %."""


@dataclass(slots=True)
class Kept:
    """One test in quarantine. ``passes`` counts those in a row, over all runs."""

    nodeid: str
    reason: str
    since: str
    steady_after: int
    passes: int = 0
    failed: bool = False
    ran: bool = False

    @property
    def lifted(self) -> bool:
        """Whether it has been steady for long enough."""
        return self.passes >= self.steady_after


def begin(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Look after ``items`` in this session."""
    ledger = _load(config.rootpath / ".aipipe" / LEDGER)
    kept = {item.nodeid: read(item, ledger.get(item.nodeid, {})) for item in items}
    config.pluginmanager.register(Quarantine(config, kept), NAME)


def read(item: pytest.Item, known: dict[str, Any]) -> Kept:
    """Return what the mark of ``item`` says and the ledger knows."""
    mark = item.get_closest_marker(QUARANTINE)
    said = dict(mark.kwargs) if mark is not None else {}
    words = [*(mark.args if mark is not None else ()), "", ""]
    since = str(said.get("since", words[1]))
    # Another date is another quarantine: it begins to count anew.
    passes = int(known.get("passes", 0)) if known.get("since", since) == since else 0
    return Kept(
        item.nodeid,
        str(said.get("reason", words[0])) or "no reason was given",
        since,
        int(said.get("steady_after", STEADY_AFTER)),
        passes,
    )


class Quarantine:
    """Turns the failures of its tests into expected ones, and tells of each test."""

    def __init__(self, config: pytest.Config, kept: dict[str, Kept]) -> None:
        self.config, self.kept = config, kept

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Let a failure of a test in quarantine not count."""
        report = yield
        kept = self.kept.get(item.nodeid)
        if kept is None:
            return report
        kept.ran = True
        if report.failed:
            kept.failed = True
            if not kept.lifted:
                report.outcome = "skipped"
                report.wasxfail = f"in quarantine since {kept.since}: {kept.reason}"
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Count the passes in a row."""
        rows = {}
        for kept in self.kept.values():
            if kept.ran:
                kept.passes = 0 if kept.failed else kept.passes + 1
            rows[kept.nodeid] = {"since": kept.since, "passes": kept.passes}
        if not self.config.option.collectonly:
            _save(self.config.rootpath, rows)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Report every test in quarantine, whatever it did."""
        terminalreporter.ensure_newline()
        terminalreporter.section("quarantine", yellow=True)
        for kept in self.kept.values():
            for line in told(kept):
                terminalreporter.write_line(line)


def told(kept: Kept) -> list[str]:
    """Return what is said of one test."""
    did = "failed" if kept.failed else "passed" if kept.ran else "did not run"
    lines = [f"  {kept.nodeid} {did}; in quarantine since {kept.since}: {kept.reason}"]
    if kept.lifted:
        lines.append(
            f"    steady through {kept.passes} runs: the quarantine is lifted, remove the mark"
        )
    else:
        lines.append(f"    {kept.passes} of {kept.steady_after} passes in a row that lift it")
    return lines


def mark_code(reason: str, since: dt.date, steady_after: int) -> str:
    """Return the mark as it is written above a test."""
    words = json.dumps(reason, ensure_ascii=False)
    return (
        f'pytest.mark.{QUARANTINE}(reason={words}, since="{since.isoformat()}", '
        f"steady_after={steady_after})"
    )


def _load(file: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _save(root: Path, rows: dict[str, Any]) -> None:
    from pytest_aipipe.session.folder import own_folder, write_text

    try:
        file = own_folder(root) / LEDGER
        write_text(file, json.dumps({**_load(file), **rows}, indent=1, sort_keys=True) + "\n")
    except OSError:
        return  # nothing can be written here; the count does not move
