"""A run's documents as what a reviewer reads: a comment, a status, remarks beside lines.

Each document is optional: a job that only tested has ``tests.json`` and nothing else. The
texts in them are untrusted; :mod:`aipipe_core.findings` neutralises them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe.duration import in_words as duration
from aipipe.forge.model import Annotation, State, Status
from aipipe_core.documents import known_schemas, read_document
from aipipe_core.errors import RequestError
from aipipe_core.findings import Finding, Level, Report, Section, Table
from aipipe_core.findings.markdown import Markdown

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("risk", "tests", "build", "deploy")
_LEVELS = {Level.ERROR: "failure", Level.WARNING: "warning", Level.NOTE: "notice"}
_TABLE_ROWS = 30


@dataclass(frozen=True, slots=True)
class Told:
    """What one run has to say to a forge."""

    report: Report
    status: Status
    annotations: tuple[Annotation, ...]

    def comment(self, limit: int) -> str:
        """Return Markdown of at most ``limit`` characters; what did not fit is said."""
        return Markdown(limit=limit).render(self.report)


def documents_of(folder: Path) -> dict[str, Any]:
    """Return the valid documents of a run's folder, by name.

    Raises :class:`RequestError` (``run-empty``) where the folder holds none, and what
    ``read_document`` raises for one that is broken.
    """
    known = known_schemas()
    found = {
        name: read_document(folder / f"{name}.json", name)
        for name in NAMES
        if name in known and (folder / f"{name}.json").is_file()
    }
    if not found:
        raise RequestError(
            "run-empty",
            "This run holds no document",
            where=str(folder),
            hint=f"A run's folder holds one of {', '.join(f'{name}.json' for name in NAMES)}.",
        )
    return found


def compose(documents: dict[str, Any]) -> Told:
    """Return what these documents say together."""
    findings: list[Finding] = []
    sections: list[Section] = []
    summary: list[str] = []
    if risk := documents.get("risk"):
        summary.append(_risk_line(risk))
        sections.append(_reasons(risk))
    if tests := documents.get("tests"):
        summary += _tests_lines(tests)
        findings += map(_gap, tests["gaps"])
        sections += _tests_sections(tests)
    if build := documents.get("build"):
        sections.append(_plain("build", build))
    if deploy := documents.get("deploy"):
        sections.append(_release(deploy))
    report = Report("What this change deserves", tuple(summary), tuple(findings), tuple(sections))
    return Told(report, _status(documents), tuple(map(_annotation, report.ordered())))


def _risk_line(risk: dict[str, Any]) -> str:
    found, route = risk["risk"], risk["route"]
    return (
        f"Risk: {found['level']} ({100 * found['probability']:.0f} %). Route: tests "
        f"{route['tests']}, build {route['build']}, {route['strategy']} release, watched for "
        f"{duration(route['watch_seconds'])}."
    )


def _reasons(risk: dict[str, Any]) -> Section:
    rows = tuple((reason["text"], f"{reason['effect']:+.2f}") for reason in risk["risk"]["reasons"])
    return Section("Why this risk", table=Table(("Reason", "Effect"), rows[:_TABLE_ROWS]))


def _tests_lines(tests: dict[str, Any]) -> list[str]:
    lines, branches = tests["coverage"]["lines"], tests["coverage"]["branches"]
    admitted = sum(test["status"] == "admitted" for test in tests["tests"])
    words = (
        f"Changed lines covered: {lines['before']} of {lines['total']} by the tests that were "
        f"there, {lines['after']} with {admitted} written for this change; branches "
        f"{branches['before']}, then {branches['after']} of {branches['total']}."
    )
    return [words]


def _tests_sections(tests: dict[str, Any]) -> list[Section]:
    sections = []
    if tests["behavior"]:
        sections.append(
            _listed(
                "What behaves otherwise now",
                ("Symbol", "Input", "Before", "Now"),
                [(b["symbol"], b["input"], b["base"], b["head"]) for b in tests["behavior"]],
            )
        )
    admitted = [test for test in tests["tests"] if test["status"] == "admitted"]
    if admitted:
        sections.append(
            _listed(
                "Tests written for this change",
                ("Test", "Mutants killed"),
                [
                    (test["nodeid"], f"{test['mutants']['killed']}/{test['mutants']['total']}")
                    for test in admitted
                ],
            )
        )
    if tests["flaky"]:
        sections.append(
            _listed(
                "Flaky tests",
                ("Test", "Failures", "Cause"),
                [(f["nodeid"], f"{f['failures']}/{f['runs']}", f["cause"]) for f in tests["flaky"]],
            )
        )
    return sections


def _listed(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Section:
    left = len(rows) - _TABLE_ROWS
    more = (f"{left} more are in the JSON report.",) if left > 0 else ()
    return Section(title, lines=more, table=Table(columns, tuple(rows[:_TABLE_ROWS])))


def _gap(gap: dict[str, Any]) -> Finding:
    return Finding(
        rule="untested-change",
        level=Level.WARNING,
        message=f"Changed lines of {gap['symbol']} run in no test: {gap['why'].rstrip('.')}.",
        path=gap["path"],
        start=min(gap["lines"], default=None),
        end=max(gap["lines"], default=None),
        help=gap["suggestion"],
        anchor=gap["symbol"],
    )


def _plain(name: str, document: dict[str, Any]) -> Section:
    """Return a section of a document whose figures are single values."""
    rows = tuple(
        (key.replace("_", " "), str(value))
        for key, value in document.items()
        if key != "schema" and isinstance(value, str | int | float | bool)
    )
    return Section(name.capitalize(), table=Table(("What", "Value"), rows[:_TABLE_ROWS]))


def _release(deploy: dict[str, Any]) -> Section:
    """Return how the release went; its moves and metrics are the page's."""
    if deploy["state"] == "unchanged":
        return Section("Release", lines=("Nothing was released: what serves is up to date.",))
    services = ", ".join(f"{name}: {image}" for name, image in deploy["services"].items())
    rows = (
        ("strategy", f"{deploy['strategy']} ({deploy['reason']})"),
        ("services", services),
        ("took", duration(deploy["seconds"])),
    )
    return Section("Release", lines=(deploy["text"],), table=Table(("What", "Value"), rows))


def _status(documents: dict[str, Any]) -> Status:
    tests, risk = documents.get("tests"), documents.get("risk")
    words = []
    if risk:
        words.append(f"{risk['risk']['level']} risk")
    if tests:
        lines = tests["coverage"]["lines"]
        words.append(f"{lines['after']}/{lines['total']} changed lines covered")
        if tests["behavior"]:
            words.append(f"{len(tests['behavior'])} behaviour changes")
    released = documents.get("deploy", {}).get("state", "unchanged")
    if released != "unchanged":
        words.append(f"release {released.replace('-', ' ')}")
    bad = released in ("rolled-back", "rolling-back", "frozen")
    return Status(State.FAILURE if bad else State.SUCCESS, ", ".join(words) or "done")


def _annotation(finding: Finding) -> Annotation:
    start = finding.start or 1
    return Annotation(
        path=finding.path,
        start=start,
        end=max(start, finding.end or start),
        level=_LEVELS[finding.level],
        title=finding.rule,
        message=f"{finding.message}\n{finding.help}".strip(),
    )
