"""How strong the admitted tests are: faults in the lines they run, and which they notice."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_aipipe.explore.process import without_plugins
from pytest_aipipe.generate.request import MutantCount
from pytest_aipipe.mutate.confined import launch_in
from pytest_aipipe.mutate.host import Trial, run_mutants
from pytest_aipipe.mutate.make import survey
from pytest_aipipe.mutate.model import KILLS, MutationScore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_core.sandbox import Sandbox
    from pytest_aipipe.generate.request import AdmittedTest, Request
    from pytest_aipipe.mutate.model import Equivalent, Mutant, MutantResult

SHARE = 1 / 4
"""Of the budget: for making tests stronger, and again for the last count where time is left."""
END_SHARE = 1 / 10
PER_REACHED = 1 / 400
"""Of the budget: what trying the faults of one more line takes, twice; some faults a line."""
QUIET_SHARE = 1 / 8
RESERVE = 2 / 5
"""Of the budget: what making tests stronger and the last count get where nothing closes."""
LEAST_SECONDS = 2.5
PER_LINE = 6
TOTAL = 160

Faults = dict[str, list["Mutant"]]
"""Mutants by the absolute path of their module."""


def reserved(budget: float, quiet: float, reached: int = 0) -> float:
    """Return the seconds of ``budget`` that exploring leaves for the tests' strength.

    As long as gaps are being closed, that comes first, and the more changed lines are
    ``reached`` by the new tests the more faults there are to try; after ``quiet`` seconds without
    one closed, what is left does more for the tests that are there.
    """
    if quiet > budget * QUIET_SHARE:
        return budget * RESERVE
    return budget * min(RESERVE, END_SHARE + PER_REACHED * reached)


def sharpening(budget: float, left: float) -> float:
    """Return how long tests may be made stronger when ``left`` of ``budget`` is left.

    The last count comes after it: it tries the same faults, and in less than
    :data:`LEAST_SECONDS` it is none.
    """
    return min(budget * SHARE, left - max(LEAST_SECONDS, min(budget * END_SHARE, left / 2)))


def seconds_for(budget: float, left: float) -> float:
    """Return how long mutants may be tried when ``left`` of ``budget`` is left; 0: not at all."""
    seconds = min(budget * SHARE, left)
    return seconds if seconds >= LEAST_SECONDS else 0.0


def faults_in(
    request: Request,
    ran: Mapping[str, frozenset[int]],
    first: Mapping[str, frozenset[int]] | None = None,
) -> tuple[Faults, list[tuple[str, Equivalent]]]:
    """Return faults in those changed lines that are among ``ran``, and those set aside.

    Some of every line come before many of one, and those on the lines in ``first`` before
    all others: where the time does not suffice, the last are not tried.
    """
    faults: Faults = {}
    aside: list[tuple[str, Equivalent]] = []
    for path, lines in ran.items():
        wanted = lines & request.added.get(path, frozenset())
        found = survey(request.sources[path], wanted, per_line=PER_LINE, total=TOTAL)
        aside += [(path, one) for one in found.set_aside]
        if found.mutants:
            wanted_first = (first or {}).get(path, wanted)
            faults[str(request.root / path)] = _in_turn(found.mutants, wanted_first)
    return faults, aside


def try_faults(
    request: Request,
    sandbox: Sandbox,
    files: Mapping[str, str],
    faults: Mapping[str, Sequence[Mutant]],
    seconds: float,
) -> MutationScore:
    """Try ``faults`` on the tests of ``files`` (by name, not on the disk).

    Each is tried on all tests that run it: which notices first would depend on their times.
    One child process serves all of it; nothing is written to the project.
    """
    if not faults or not files or seconds <= 0:
        return MutationScore()
    trial = Trial(
        rootdir=request.rootdir,
        python_path=request.python_path,
        pytest_args=(*request.pytest_args, *without_plugins(request.pytest_args)),
        matrix=True,
        environ=request.environ,
        launch=launch_in(sandbox),
        readable=(
            request.root,
            request.rootdir,
            *sorted({test.source_path.parent for test in request.tests}),
        ),
    )
    given = {request.target / name: text for name, text in files.items()}
    return run_mutants([str(request.rootdir)], faults, trial, seconds=seconds, given=given)


def try_mutants(
    request: Request,
    sandbox: Sandbox,
    files: Mapping[str, str],
    ran: Mapping[str, frozenset[int]],
    seconds: float,
    *,
    first: Mapping[str, frozenset[int]] | None = None,
) -> MutationScore:
    """Try faults in those changed lines that are among ``ran`` on the composed ``files``."""
    return try_faults(request, sandbox, files, faults_in(request, ran, first)[0], seconds)


def _in_turn(mutants: Sequence[Mutant], first: frozenset[int]) -> list[Mutant]:
    """Return ``mutants``, one of each line before a second one, those of ``first`` in front."""
    seen: Counter[int] = Counter()
    ranked = []
    for place, one in enumerate(mutants):
        ranked.append((one.line not in first, seen[one.line], place))
        seen[one.line] += 1
    return [mutants[place] for *_, place in sorted(ranked)]


def with_strength(tests: Sequence[AdmittedTest], score: MutationScore) -> list[AdmittedTest]:
    """Return ``tests``, each with its share of the faults on the lines that they run.

    A fault counts once: for the first test that notices it, or, where none does, for the
    first that runs its line. So the tests' sums are the sums of the change.
    """
    total: Counter[int] = Counter()
    killed: Counter[int] = Counter()
    for result in score.results:
        if not result.counts:
            continue
        finders = _of(tests, result.killers)
        if result.verdict in KILLS and finders:
            killed[finders[0]] += 1
            total[finders[0]] += 1
        elif covering := _of(tests, result.covering):
            total[covering[0]] += 1
            killed[covering[0]] += result.verdict in KILLS
    return [
        replace(test, mutants=total[place], killed=killed[place])
        for place, test in enumerate(tests)
    ]


def counted(
    score: MutationScore, aside: Sequence[tuple[str, Equivalent]], root: Path
) -> MutantCount:
    """Return the sums of ``score``, what survived and what was set aside, in words."""
    judged = [one for one in score.results if one.counts]
    return MutantCount(
        total=len(judged),
        killed=sum(one.verdict in KILLS for one in judged),
        survivors=tuple(_said(one, root) for one in score.survivors),
        set_aside=tuple(
            f"{path}:{one.mutant.line} {_edit(one.mutant)} ({one.reason})" for path, one in aside
        ),
    )


def _said(result: MutantResult, root: Path) -> str:
    path = Path(result.path).relative_to(root).as_posix()
    return f"{path}:{result.mutant.line} {_edit(result.mutant)}"


def _edit(mutant: Mutant) -> str:
    return f"{mutant.operator}: {mutant.before} => {mutant.after}"


def _of(tests: Sequence[AdmittedTest], nodeids: Sequence[str]) -> list[int]:
    """Return the places of the tests among ``nodeids``, in the order of ``tests``."""
    return [n for n, test in enumerate(tests) if any(_is_of(test, one) for one in nodeids)]


def _is_of(test: AdmittedTest, nodeid: str) -> bool:
    """Whether ``nodeid`` is ``test``, one of its parametrizations, or a method of its class."""
    path, _, rest = nodeid.partition("::")
    own = rest.split("::")[0].split("[")[0]
    return path.rsplit("/", 1)[-1] == test.module_name and own == test.name


def by_line(faults: Mapping[str, Sequence[Mutant]], root: Path) -> dict[str, frozenset[int]]:
    """Return the lines that hold ``faults``, by repository-relative path."""
    found: dict[str, set[int]] = defaultdict(set)
    for path, mutants in faults.items():
        for one in mutants:
            found[Path(path).relative_to(root).as_posix()] |= set(
                range(one.first or one.line, (one.last or one.line) + 1)
            )
    return {path: frozenset(lines) for path, lines in found.items()}
