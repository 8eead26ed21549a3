"""Write the reports that were asked for, and the run's documents."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pytest_aipipe.report.cobertura import cobertura
from pytest_aipipe.report.document import change_document, document
from pytest_aipipe.report.findings import report_of
from pytest_aipipe.report.terminal import summary
from pytest_aipipe.session.folder import own_folder, run_folder, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.options import ReportRequest
    from pytest_aipipe.session.host import Host
    from pytest_aipipe.session.run import Run

SUFFIXES = {
    "json": "json",
    "md": "md",
    "html": "html",
    "sarif": "sarif",
    "gitlab": "gitlab.json",
    "cobertura": "cobertura.xml",
}


def write_reports(host: Host) -> None:
    """Write every report whole or not at all; one that cannot be written is noted in a line."""
    run = host.run
    report = document(run)
    folder = run_folder(run.change.root, run.change.head)
    _try(run, folder / "change.json", _json(change_document(run)))
    _try(run, folder / "tests.json", _json(report))
    for request in run.options.reports:
        if request.type == "term" and request.dest is None:
            continue
        if request.type == "github" and request.dest is None:
            _github(host, report)
            continue
        place = request.dest or own_folder(run.change.root) / f"report.{SUFFIXES[request.type]}"
        _try(run, place, render(run, report, request))
    host.config.hook.pytest_aipipe_report(config=host.config, report=deepcopy(report))


def _json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def render(run: Run, report: dict[str, Any], request: ReportRequest) -> str:
    """Return the report as text of the requested type."""
    if request.type == "json":
        return _json(report)
    if request.type == "term":
        return "".join(f"{text}\n" for text, _ in summary(run, report))
    if request.type == "cobertura":
        return cobertura(run.after)
    from aipipe_core.findings import render as rendered

    return rendered(report_of(run, report), request.type)


def _github(host: Host, report: dict[str, Any]) -> None:
    """Annotate in the job's log, and add to the step's summary where GitHub wants one."""
    from aipipe_core.findings import render as rendered

    told = report_of(host.run, report)
    host.run.annotations = rendered(told, "github")
    summary_file = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary_file:
        try:
            with open(summary_file, "a", encoding="utf-8") as stream:  # noqa: PTH123
                stream.write(rendered(told, "github-summary"))
        except OSError as error:
            host.run.note(f"The step summary was not written: {error.strerror}. [no-summary]")


def _try(run: Run, place: Path, text: str) -> None:
    try:
        write_text(place, text)
    except OSError as error:
        run.note(f"The report {place} was not written: {error.strerror}. [report-unwritable]")
