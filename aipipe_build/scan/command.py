"""``aipipe-build scan``: take stock, ask the sources, judge, tell."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_build.config import SEVERITIES, load_config
from aipipe_build.options import ArgumentParser, current_environment
from aipipe_build.scan.adapters import ask_scanner, choose_scanners
from aipipe_build.scan.database import open_database
from aipipe_build.scan.gate import judge
from aipipe_build.scan.inventory import take_inventory
from aipipe_build.scan.sbom import sbom
from aipipe_build.scan.service import Service
from aipipe_core.change.git import top_of
from aipipe_core.documents import write_document
from aipipe_core.errors import AipipeError, RequestError, SurroundingsError
from aipipe_core.findings import Report, Section, Table, render

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from aipipe_build.config import BuildConfig
    from aipipe_build.scan.answer import Answer
    from aipipe_build.scan.gate import Verdict
    from aipipe_build.scan.inventory import Inventory


def make_scan_parser() -> argparse.ArgumentParser:
    """Return the parser of ``scan``'s own options."""
    parser = ArgumentParser(
        prog="aipipe-build scan",
        description="Say whether what is in an image, or is to be installed, is known to be "
        "vulnerable. No answer, an empty or a stale source closes the gate.",
        allow_abbrev=False,
    )
    parser.add_argument("image", nargs="?", default="", help="an image, or what docker save wrote")
    parser.add_argument(
        "--requirements", action="append", default=[], metavar="FILE",
        help="a requirement or lock file; without an image, those that are here",
    )  # fmt: skip
    parser.add_argument(
        "--advisories", action="append", metavar="SOURCE",
        help="a folder, a file or a zip in OSV's form, or a service's address",
    )  # fmt: skip
    parser.add_argument("--severity", metavar="LEVEL", help=f"blocks from: {', '.join(SEVERITIES)}")
    parser.add_argument("--max-age-days", metavar="N", help="how old advisories may be (14)")
    parser.add_argument("--scanner", metavar="LIST", help="auto, none, trivy, grype")
    parser.add_argument(
        "--only", choices=["python", "system"], default="",
        help="check Python distributions alone, or system packages alone",
    )  # fmt: skip
    parser.add_argument("--sbom", metavar="FILE", help="write a CycloneDX bill of materials")
    parser.add_argument("--sarif", metavar="FILE", help="write the findings as SARIF")
    parser.add_argument("--md", metavar="FILE", help="write the findings as Markdown")
    parser.add_argument("--html", metavar="FILE", help="write the findings as a page")
    parser.add_argument("--json", action="store_true", help="print JSON; =FILE writes it")
    parser.add_argument("--json-file", help="the same as --json=FILE")
    return parser


def scan(options: argparse.Namespace) -> tuple[str, int]:
    """Scan; return what is to be printed, and the exit code.

    Raises what wrong requests raise, and ``advisories-none`` where no source is named.
    """
    here = Path.cwd()
    environ = current_environment()
    config = load_config(_root(here), environ=environ, flags=_flags(options))
    inventory = take_inventory(options.image, options.requirements, here, only=options.only)
    now = dt.datetime.now(dt.UTC)
    answers = ask(inventory, config, options.image, here, now=now)
    verdict = judge(
        inventory.packages, answers, threshold=config.severity, ignored=config.ignore,
        today=now.date(),
    )  # fmt: skip
    document = scan_document(inventory, config, answers, verdict)
    report = _report(inventory, config, answers, verdict)
    for kind in ("sarif", "md", "html"):
        if path := getattr(options, kind):
            _write(path, render(report, kind))
    if options.sbom:
        _write(options.sbom, sbom(inventory.packages, name=inventory.name, now=now))
    if options.json_file:
        write_document(Path(options.json_file), "scan", document)
    return json.dumps(document) + "\n" if options.json else render(report, "term"), verdict.code


def ask(
    inventory: Inventory, config: BuildConfig, image: str, folder: Path, *, now: dt.datetime
) -> list[Answer]:
    """Ask every source that is configured. Raises ``advisories-none``."""
    scanners = choose_scanners(config.scanners) if image and not Path(image).is_file() else []
    if not config.advisories and not scanners:
        raise RequestError(
            "advisories-none",
            "no source of advisories is named: nothing can be checked, and nothing passes",
            hint="Name one with --advisories or as advisories in [build].",
        )
    answers = []
    for source in config.advisories:
        if source.startswith(("http://", "https://")):
            answers.append(Service(source).answer(inventory.packages))
        else:
            near = folder / source
            database = open_database(near if near.exists() else _root(folder) / source, source)
            answers.append(
                database.answer(inventory.packages, now=now, max_age_days=config.max_age_days)
            )
    for name in scanners:
        answer = ask_scanner(name, image, folder)
        if not answer.problems:
            answer.checked |= set(inventory.packages)
        answers.append(answer)
    return answers


def scan_document(
    inventory: Inventory, config: BuildConfig, answers: Sequence[Answer], verdict: Verdict
) -> dict[str, Any]:
    """Return ``scan.json``."""
    return {
        "schema": 1,
        "subject": inventory.name,
        "passed": verdict.passed,
        "threshold": config.severity,
        "packages": len(inventory.packages),
        "vulnerabilities": verdict.vulnerabilities,
        "ignored": verdict.ignored,
        "sources": [
            {
                "source": answer.source,
                "checked": len(answer.checked),
                "found": len(answer.found),
                "problems": [f"{one.rule}: {one.text}" for one in answer.problems],
            }
            for answer in answers
        ],
        "findings": [
            {
                "rule": finding.rule,
                "level": str(finding.level),
                "message": finding.message,
                "path": finding.path,
                "package": str(finding.properties.get("package", "")),
                "version": str(finding.properties.get("version", "")),
                "ids": list(finding.properties.get("ids", ())),
                "severity": str(finding.properties.get("severity", "")),
                "fixed": list(finding.properties.get("fixed", ())),
            }
            for finding in sorted(verdict.findings, key=lambda f: (f.level.rank, f.message))
        ],
    }


def _report(
    inventory: Inventory, config: BuildConfig, answers: Sequence[Answer], verdict: Verdict
) -> Report:
    rows = tuple(
        (answer.source, str(len(answer.checked)), str(len(answer.found)), str(len(answer.problems)))
        for answer in answers
    )
    said = "The gate is open" if verdict.passed else "The gate is closed"
    summary = (
        f"{said}: {inventory.name}, {len(inventory.packages)} packages, "
        f"{verdict.vulnerabilities} vulnerabilities known, {verdict.ignored} ignored; "
        f"it closes from {config.severity}."
    )
    table = Table(("source", "packages checked", "found", "problems"), rows)
    return Report("Scan", (summary,), tuple(verdict.findings), (Section("Sources", table=table),))


def _flags(options: argparse.Namespace) -> dict[str, object]:
    return {
        "advisories": tuple(options.advisories) if options.advisories else None,
        "severity": options.severity,
        "max_age_days": options.max_age_days,
        "scanners": options.scanner,
    }


def _root(here: Path) -> Path:
    try:
        return top_of(here)
    except AipipeError:
        return here


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SurroundingsError(
            "document-unwritable", f"cannot be written: {error.strerror}", where=path
        ) from error
