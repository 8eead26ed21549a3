"""Mend what has a known mend: propose, guard, prove, and keep what held.

Mends are made in the copy of the project, one upon the other; the project itself is written
to only when that was asked for.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError
from pytest_aipipe.flaky.causes import Cause
from pytest_aipipe.flaky.condition import pinned
from pytest_aipipe.flaky.mend import clock, compare, ports, restore, surrounds, victim, wait
from pytest_aipipe.flaky.mend.guard import weakened
from pytest_aipipe.flaky.mend.isolate import confine, release
from pytest_aipipe.flaky.mend.proposal import Scene, names_of
from pytest_aipipe.flaky.mend.prove import Proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.hunt import Hunt
    from pytest_aipipe.flaky.lab import Lab
    from pytest_aipipe.flaky.mend.proposal import Mender, Proposal

MENDERS: Mapping[Cause, tuple[Mender, ...]] = {
    Cause.ORDER: (restore.restore, victim.prepare),
    Cause.DOUBLE: (restore.restore, victim.prepare),
    Cause.HASH_SEED: (compare.sort,),
    Cause.UNORDERED: (compare.sort,),
    Cause.FLOAT: (compare.approximate,),
    Cause.RANDOMNESS: (surrounds.seed,),
    Cause.CLOCK: (clock.freeze,),
    Cause.TIME_ZONE: (surrounds.zone, clock.freeze),
    Cause.LOCALE: (surrounds.language,),
    Cause.FILES: (surrounds.folder,),
    Cause.PORTS: (ports.choose,),
    Cause.CONCURRENCY: (wait.wait, compare.sort, wait.wait_sorted),
    Cause.ASYNC: (wait.wait,),
    Cause.NETWORK: (wait.wait,),
    Cause.RESOURCES: (wait.wait,),
}
MOST_PROPOSALS = 10
LIBRARIES = ("freezegun", "time_machine", "numpy")


def mend(findings: Sequence[Finding], lab: Lab, hunt: Hunt, *, write: bool) -> None:
    """Give each finding its mend, where one holds; write them to the project when asked to."""
    scene = scene_of(lab)
    for finding in findings:
        if hunt.late() or finding.cause not in MENDERS:
            continue
        hunt.say(f"mends {finding.nodeid}")
        try:
            _mend(finding, lab, _for(finding, scene, lab))
        except (AipipeError, OSError, SyntaxError, UnicodeDecodeError) as error:
            finding.refused.append(str(error))
    if write:
        _isolate(findings, lab, hunt, scene)
        hunt.notes += write_back(findings, lab, hunt.released)


def _isolate(findings: Sequence[Finding], lab: Lab, hunt: Hunt, scene: Scene) -> None:
    """Mark what has no mend, and unmark what was found steady, in the copy."""
    for finding in findings:
        if finding.fix:
            continue
        before = scene.read(scene.path_of(finding.nodeid))
        for path, text in confine(finding, scene).items():
            lab.workplace.write(path, text)
            finding.fix = "quarantine: it runs, is reported and cannot fail the session"
            finding.diff = diff_of({path: before}, {path: text})
            finding.touched_paths = [path]
    for path, text in release(hunt, scene).items():
        lab.workplace.write(path, text)
        hunt.released.append(path)


def scene_of(lab: Lab) -> Scene:
    """Return the scene of the laboratory's copy."""
    top = lab.workplace.copy
    return Scene(top, lab.workplace.inside(lab.rootdir), lab.workplace.origin, _libraries(top))


def _libraries(top: Path) -> frozenset[str]:
    """Return which of the known libraries the project's tests import or its settings name."""
    found: set[str] = set()
    files = [*top.rglob("test_*.py"), *top.rglob("*_test.py"), *top.rglob("conftest.py")]
    for file in files[:2000]:
        try:
            text = file.read_text("utf-8", errors="replace")
        except OSError:
            continue
        found |= {name for name in LIBRARIES if f"import {name}" in text or f"from {name}" in text}
    return frozenset(found)


def _for(finding: Finding, scene: Scene, lab: Lab) -> Scene:
    """Return the scene with what this finding's mend wants to know."""
    seeds = [int(s.knobs["entropy"]) for s in finding.settings if "entropy" in s.knobs]
    scene = replace(scene, seeds=(1, *seeds[:2]))
    if finding.cause == Cause.FILES:
        import time

        with lab.start(pinned(time.time()), [finding.nodeid.partition("::")[0]]) as bench:
            scene = replace(scene, paths=bench.paths(finding.nodeid))
    return scene


def _mend(finding: Finding, lab: Lab, scene: Scene) -> None:
    if finding.pollution is not None:
        proof = Proof(finding, lab)
        if proof.holds():  # a mend before this one has taken the pollution away
            finding.fix = f"mended with the others of its polluter; held {proof.runs} runs"
            return
    refused: dict[str, int] = {}
    for proposal in _proposals(finding, scene):
        before = {path: scene.read(path) for path in proposal.texts}
        reason = _refusal(finding, proposal, before)
        if reason:
            finding.refused.append(f"{proposal.words}: {reason}")
            continue
        for path, text in proposal.texts.items():
            lab.workplace.write(path, text)
        proof = Proof(finding, lab, refused)
        try:
            held = proof.holds()
        except AipipeError as error:
            held, proof.why = False, str(error)
        if held:
            finding.fix = f"{proposal.words}; held through {proof.runs} runs"
            finding.held = proof.runs
            finding.diff = diff_of(before, proposal.texts)
            finding.touched_paths = sorted(proposal.texts)
            return
        finding.refused.append(f"{proposal.words}: {proof.why}")
        for path, text in before.items():
            lab.workplace.write(path, text)


def _proposals(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    count = 0
    for mender in MENDERS[finding.cause]:
        for proposal in mender(finding, scene):
            count += 1
            if count > MOST_PROPOSALS:
                return
            yield proposal


def _refusal(finding: Finding, proposal: Proposal, before: Mapping[str, str]) -> str:
    """Return why a proposal must not even be tried, "" where it may."""
    nodes = [finding.nodeid, *(finding.pollution.before if finding.pollution else ())]
    for path, text in proposal.texts.items():
        if text == before[path]:
            return "it changes nothing"
        for node in nodes:
            if not node.partition("::")[0].endswith(path.rpartition("/")[2]):
                continue
            reason = weakened(before[path], text, names_of(node), proposal.allowed)
            if reason:
                return reason
    return ""


def diff_of(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the mend as a unified diff."""
    pieces: list[str] = []
    for path, text in after.items():
        pieces += difflib.unified_diff(
            before[path].splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
    return "".join(pieces)


def write_back(findings: Sequence[Finding], lab: Lab, released: Sequence[str]) -> list[str]:
    """Write the mended files to the project; return what was done in words."""
    from pytest_aipipe.session.folder import write_text

    notes = []
    paths = {path for finding in findings for path in finding.touched_paths}
    for path in sorted(paths | set(released)):
        write_text(lab.workplace.origin / path, (lab.workplace.copy / path).read_text("utf-8"))
        notes.append(f"{path} was written: mends that held, and marks of the quarantine.")
    return notes
