"""``aipipe-build report``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aipipe_build.options import ArgumentParser, current_environment, make_request
from aipipe_build.options import make_parser as make_build_parser
from aipipe_build.record.location import record_folders
from aipipe_build.report.find import read_run
from aipipe_build.report.markdown import render_markdown
from aipipe_build.report.terminal import render_terminal

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def make_report_parser() -> argparse.ArgumentParser:
    """Return the parser of ``report``'s own options."""
    parser = ArgumentParser(prog="aipipe-build report", description="Show a run.")
    parser.add_argument("run", nargs="?", help="a run's folder or name (default: the newest)")
    parser.add_argument("--context", metavar="DIR", default=".", help="whose runs (default: .)")
    parser.add_argument("--json", action="store_true", help="print the JSON document")
    parser.add_argument("--md", action="store_true", help="print Markdown")
    return parser


def show_run(options: argparse.Namespace, current: Path) -> str:
    """Return the run in the form that was asked for. Raises ``run-missing``."""
    document, _ = read_run(options.run, _run_folders(options.context, current))
    if options.json:
        return json.dumps(document) + "\n"
    return (render_markdown if options.md else render_terminal)(document)


def _run_folders(context: str, current: Path) -> list[Path]:
    request = make_request(
        make_build_parser("report", "").parse_args([context]), environ=current_environment()
    )
    return [
        folder.parent / "runs" if folder.name == "build" else folder / "runs"
        for folder in record_folders(request, current)
    ]
