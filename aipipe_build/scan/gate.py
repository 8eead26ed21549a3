"""May it pass? Only what was looked at, by sources that answered, and found clean enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe_build.scan.severity import gravest, reaches
from aipipe_core.errors import ExitCode
from aipipe_core.findings import Finding, Level

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from aipipe_build.config import Ignored
    from aipipe_build.image.packages import Package
    from aipipe_build.scan.answer import Answer
    from aipipe_build.scan.match import Match

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability of one package, however many advisories tell of it."""

    package: Package
    names: tuple[str, ...]
    severity: str
    fixed: tuple[str, ...]
    summary: str
    doubt: str = ""
    links: tuple[str, ...] = ()


@dataclass(slots=True)
class Verdict:
    """The gate's answer. ``closed`` findings keep it shut."""

    findings: list[Finding] = field(default_factory=list)
    vulnerabilities: int = 0
    ignored: int = 0
    unanswered: bool = False
    """Whether a source did not answer, which is no fault of what was scanned."""

    @property
    def passed(self) -> bool:
        """Whether nothing keeps the gate shut."""
        return not any(finding.level is Level.ERROR for finding in self.findings)

    @property
    def code(self) -> int:
        """The exit code: a no of the gate's own goes before surroundings that failed."""
        if self.passed:
            return int(ExitCode.DONE)
        own = [
            f for f in self.findings if f.level is Level.ERROR and not f.properties.get("absent")
        ]
        return int(ExitCode.NO if own else ExitCode.SURROUNDINGS)


def judge(
    packages: Sequence[Package],
    answers: Sequence[Answer],
    *,
    threshold: str,
    ignored: Sequence[Ignored],
    today: dt.date,
) -> Verdict:
    """Return the verdict on ``packages`` after what the sources said."""
    verdict = Verdict()
    _problems(answers, verdict)
    _unchecked(packages, answers, verdict)
    for one in merge(answers):
        verdict.vulnerabilities += 1
        _weigh(one, verdict, threshold=threshold, ignored=ignored, today=today)
    return verdict


def merge(answers: Iterable[Answer]) -> list[Vulnerability]:
    """Return the vulnerabilities, those with a name in common as one."""
    groups: dict[tuple[str, str, str], list[list[tuple[Package, Match]]]] = {}
    for answer in answers:
        for package, match in answer.found:
            rows = groups.setdefault((package.ecosystem, package.name, package.version), [])
            same = [g for g in rows if any(m.advisory.names & match.advisory.names for _, m in g)]
            joined = [(package, match), *(pair for group in same for pair in group)]
            rows[:] = [group for group in rows if group not in same] + [joined]
    return sorted(
        (_merged(group) for rows in groups.values() for group in rows),
        key=lambda one: (one.package.name, one.names),
    )


def _merged(group: list[tuple[Package, Match]]) -> Vulnerability:
    matches = [match for _, match in group]
    names = {name for match in matches for name in match.advisory.names}
    return Vulnerability(
        package=max((package for package, _ in group), key=lambda p: (bool(p.path), p)),
        # A CVE is what people look for.
        names=tuple(sorted(names, key=lambda name: (not name.startswith("CVE-"), name))),
        severity=gravest(match.severity for match in matches),
        fixed=tuple(sorted({version for match in matches for version in match.fixed})),
        summary=next((m.advisory.summary for m in matches if m.advisory.summary), ""),
        # One that is sure outweighs those that are not.
        doubt=min((match.doubt for match in matches), key=bool),
        links=tuple(sorted({link for match in matches for link in match.advisory.links}))[:5],
    )


def _problems(answers: Iterable[Answer], verdict: Verdict) -> None:
    for answer in answers:
        for problem in answer.problems:
            verdict.unanswered |= problem.surroundings
            verdict.findings.append(
                Finding(
                    problem.rule,
                    Level.ERROR,
                    f"{answer.source}: {problem.text}",
                    help=HELP[problem.rule],
                    properties={"absent": problem.surroundings, "source": answer.source},
                )
            )


def _unchecked(packages: Sequence[Package], answers: Sequence[Answer], verdict: Verdict) -> None:
    """Close the gate for what no source has looked at."""
    if not packages:
        verdict.findings.append(
            Finding(
                "nothing-to-scan", Level.ERROR,
                "no package was found: what is there cannot be told, and was not checked",
                help=HELP["nothing-to-scan"],
            )
        )  # fmt: skip
    for package in packages:
        if not package.version:
            text = f"{package.name} has no version: whether it is vulnerable, nobody can tell"
            verdict.findings.append(_about(package, "package-without-version", text))
    checked = {package for answer in answers for package in answer.checked}
    silent = any(answer.problems for answer in answers)
    left: dict[str, list[Package]] = {}
    for package in packages:
        if package.version and package not in checked:
            left.setdefault(package.ecosystem, []).append(package)
    for ecosystem, rows in sorted(left.items()):
        if silent and not any(ecosystem in answer.missing for answer in answers):
            continue  # the source that would have known has said why it did not
        names = ", ".join(sorted({package.name for package in rows})[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        text = f"no source has an advisory for {ecosystem}: {names}{more} were not checked"
        verdict.findings.append(
            Finding("advisories-empty", Level.ERROR, text, help=HELP["advisories-empty"])
        )


def _weigh(
    one: Vulnerability,
    verdict: Verdict,
    *,
    threshold: str,
    ignored: Sequence[Ignored],
    today: dt.date,
) -> None:
    known = one.severity if one.severity != "unknown" else "of unknown severity"
    text = f"{one.package.key}: {one.names[0]}, {known}"
    text += f" ({one.summary})" if one.summary else ""
    text += (
        f"; fixed in {', '.join(one.fixed)}" if one.fixed else "; no version is known to mend it"
    )
    text += f"; counted because {one.doubt}" if one.doubt else ""
    level = Level.ERROR if reaches(one.severity, threshold) else Level.WARNING
    entry = next((e for e in ignored if _covers(e, one)), None)
    if entry is not None and today <= entry.until:
        verdict.ignored += 1
        level = Level.NOTE
        text += f"; ignored until {entry.until}: {entry.reason}"
    elif entry is not None:
        text += f"; it was ignored until {entry.until} ({entry.reason}), and that is over"
    properties: dict[str, Any] = {
        "package": one.package.name, "ecosystem": one.package.ecosystem,
        "version": one.package.version, "ids": list(one.names), "severity": one.severity,
        "fixed": list(one.fixed), "links": list(one.links),
    }  # fmt: skip
    rule = "vulnerable-package"
    verdict.findings.append(_about(one.package, rule, text, level=level, properties=properties))


def _covers(entry: Ignored, one: Vulnerability) -> bool:
    return entry.advisory in one.names and entry.package in ("", one.package.name)


def _about(
    package: Package, rule: str, text: str, *, level: Level = Level.ERROR,
    properties: dict[str, Any] | None = None,
) -> Finding:  # fmt: skip
    anchor = f"{package.ecosystem} {package.name} {' '.join((properties or {}).get('ids', ()))}"
    return Finding(
        rule, level, text, path=package.path, help=HELP[rule], anchor=anchor,
        properties=properties or {"package": package.name},
    )  # fmt: skip


HELP = {
    "vulnerable-package": "Install a version in which it is mended; or, where it does not concern "
    "you, list it under ignore in [build] with a reason and a day on which that ends.",
    "package-without-version": "Pin the version, or scan what is installed.",
    "advisory-malformed": "Fetch the advisories again; a source with holes is no clean bill.",
    "advisories-empty": "Name a source that knows this ecosystem, with --advisories, or limit the "
    "scan with --only.",
    "advisories-stale": "Fetch the advisories again, or set max_age_days in [build].",
    "advisories-unreachable": "Check the address and the network; without an answer nothing "
    "passes.",
    "scanner-failed": 'Run the scanner by hand to see why; scanners = ["none"] in [build] does '
    "without.",
    "nothing-to-scan": "Name an image, or requirement or lock files.",
}  # fmt: skip
"""What to do, by the slug of a finding."""
