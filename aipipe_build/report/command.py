"""``aipipe-build report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_build.options import ArgumentParser, current_environment, make_request
from aipipe_build.options import make_parser as make_build_parser
from aipipe_build.record.location import record_folders
from aipipe_build.report.find import read_run
from aipipe_build.report.image import report_image
from aipipe_build.report.image_markdown import render_image
from aipipe_build.report.markdown import render_markdown
from aipipe_build.report.page import render_page
from aipipe_build.report.terminal import render_terminal
from aipipe_core.documents import validate
from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    import argparse


def make_report_parser() -> argparse.ArgumentParser:
    """Return the parser of ``report``'s own options."""
    parser = ArgumentParser(prog="aipipe-build report", description="Show a run.")
    parser.add_argument("run", nargs="?", help="a run's folder or name (default: the newest)")
    parser.add_argument("--context", metavar="DIR", default=".", help="whose runs (default: .)")
    parser.add_argument("--json", action="store_true", help="print the JSON document")
    parser.add_argument("--md", action="store_true", help="print Markdown")
    parser.add_argument(
        "--image", nargs="?", const="", metavar="NAME",
        help="the report on the run's image: layers, what grew, the last builds",
    )  # fmt: skip
    parser.add_argument("--html", metavar="FILE", help="write the report on the image as a page")
    return parser


def show_run(options: argparse.Namespace, current: Path) -> str:
    """Return the run in the form that was asked for. Raises ``run-missing``."""
    folders = _run_folders(options.context, current)
    document, path = read_run(options.run, folders)
    if options.image is not None or options.html:
        return _show_image(
            options, report_image(document, path, folders, current, name=options.image or "")
        )
    if options.json:
        return json.dumps(document) + "\n"
    return (render_markdown if options.md else render_terminal)(document)


def _show_image(options: argparse.Namespace, document: dict[str, Any]) -> str:
    validate("image-report", document)
    if options.html:
        write_page(Path(options.html), render_page(document))
    return json.dumps(document) + "\n" if options.json else render_image(document)


def write_page(path: Path, text: str) -> None:
    """Write a page. Raises ``document-unwritable``."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SurroundingsError(
            "document-unwritable", f"cannot be written: {error.strerror}", where=str(path)
        ) from error


def _run_folders(context: str, current: Path) -> list[Path]:
    request = make_request(
        make_build_parser("report", "").parse_args([context]), environ=current_environment()
    )
    return [
        folder.parent / "runs" if folder.name == "build" else folder / "runs"
        for folder in record_folders(request, current)
    ]
