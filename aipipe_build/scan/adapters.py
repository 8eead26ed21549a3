"""Other scanners as further sources: Trivy and Grype, where they are installed.

A scanner that fails, or whose output is not what it should be, has given no answer.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from aipipe_build.image.packages import Package, normalised
from aipipe_build.run.argv import Command
from aipipe_build.run.process import run_quietly
from aipipe_build.scan.advisory import Advisory
from aipipe_build.scan.answer import Answer, Problem
from aipipe_build.scan.match import Match
from aipipe_build.scan.severity import of_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SECONDS = 900.0


def choose_scanners(wanted: tuple[str, ...]) -> list[str]:
    """Return the scanners to run: the named ones, or with ``auto`` those that are there."""
    if "none" in wanted:
        return []
    named = [name for name in wanted if name != "auto"]
    if "auto" in wanted:
        named += [name for name in _READERS if name not in named and shutil.which(name)]
    return named


def ask_scanner(name: str, image: str, folder: Path) -> Answer:
    """Run a scanner over an image and return what it says."""
    answer = Answer(name)
    if shutil.which(name) is None:
        answer.problems.append(_failed("it is not installed"))
        return answer
    ended = run_quietly(scanner_command(name, image), folder, seconds=_SECONDS)
    if ended.code:
        said = " ".join(ended.said.split())[-200:]
        answer.problems.append(_failed(f"it ended with {ended.code}: {said}"))
        return answer
    try:
        document = json.loads(ended.output)
        for package, match in _READERS[name](document):
            answer.add(package, match)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        answer.problems.append(_failed(f"its output is not what it should be: {error}"))
    return answer


def scanner_command(name: str, image: str) -> Command:
    """Return the command that looks for vulnerabilities in an image and prints JSON."""
    if name == "trivy":
        words = ("image", "--quiet", "--scanners", "vuln", "--format", "json", "--exit-code", "0")
        return Command(("trivy", *words, image))
    return Command(("grype", "--quiet", "--output", "json", f"docker:{image}"))


def _failed(why: str) -> Problem:
    return Problem("scanner-failed", why, surroundings=True)


def _trivy(document: Any) -> Iterator[tuple[Package, Match]]:
    # Without this list it has found nothing to look at.
    for result in document["Results"]:
        ecosystem = "PyPI" if result.get("Type") == "python-pkg" else str(result.get("Type", ""))
        for row in result.get("Vulnerabilities") or ():
            yield _found(
                ecosystem, row["PkgName"], row.get("InstalledVersion", ""),
                row["VulnerabilityID"], (), row["Severity"], row.get("FixedVersion"),
                row.get("Title", ""),
            )  # fmt: skip


def _grype(document: Any) -> Iterator[tuple[Package, Match]]:
    for row in document["matches"]:
        known, artifact = row["vulnerability"], row["artifact"]
        kind = str(artifact.get("type", ""))
        yield _found(
            "PyPI" if kind == "python" else kind, artifact["name"], artifact.get("version", ""),
            known["id"], [one["id"] for one in row.get("relatedVulnerabilities") or ()],
            known["severity"], ", ".join((known.get("fix") or {}).get("versions") or ()),
            known.get("description", ""),
        )  # fmt: skip


def _found(
    ecosystem: str, name: str, version: str, identity: str, aliases: Any, severity: str,
    fixed: str | None, summary: str,
) -> tuple[Package, Match]:  # fmt: skip
    if not name or not identity:
        raise ValueError("a vulnerability has no package or no id")
    plain = normalised(name) if ecosystem == "PyPI" else name
    package = Package(ecosystem, plain, version)
    advisory = Advisory(identity, frozenset(map(str, aliases)), summary[:300])
    versions = tuple(one.strip() for one in (fixed or "").split(",") if one.strip())
    return package, Match(advisory, of_word(severity), versions)


_READERS: dict[str, Callable[[Any], Iterator[tuple[Package, Match]]]] = {
    "trivy": _trivy,
    "grype": _grype,
}
