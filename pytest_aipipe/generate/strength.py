"""How strong the admitted tests are: faults in the lines they run, and which they notice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.explore.process import without_plugins
from pytest_aipipe.mutate.confined import launch_in
from pytest_aipipe.mutate.host import Trial, run_mutants
from pytest_aipipe.mutate.make import make_mutants
from pytest_aipipe.mutate.model import MutationScore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_core.sandbox import Sandbox
    from pytest_aipipe.generate.request import AdmittedTest, Request
    from pytest_aipipe.mutate.model import Mutant

MOST_SECONDS = 15.0
MOST_SHARE = 1 / 3
LEAST_SECONDS = 2.5
PER_LINE = 3
TOTAL = 80
RESERVED_SHARE = 0.08
MOST_RESERVED = 5.0


def reserved(budget: float) -> float:
    """Return the seconds of ``budget`` that exploring leaves for the mutants."""
    return min(MOST_RESERVED, budget * RESERVED_SHARE)


def seconds_for(budget: float, left: float) -> float:
    """Return how long mutants may be tried when ``left`` of ``budget`` is left; 0: not at all."""
    seconds = min(MOST_SECONDS, budget * MOST_SHARE, left)
    return seconds if seconds >= LEAST_SECONDS else 0.0


def try_mutants(
    request: Request,
    sandbox: Sandbox,
    files: Mapping[str, str],
    ran: Mapping[str, frozenset[int]],
    seconds: float,
    *,
    first: Mapping[str, frozenset[int]] | None = None,
) -> MutationScore:
    """Try faults in those changed lines that are among ``ran`` on the composed ``files``.

    One child process serves all of it; nothing is written to the project. Where the time
    does not suffice for all, those on the lines in ``first`` have been tried, and some of
    every line before many of one.
    """
    mutants = {}
    for path, lines in ran.items():
        wanted = lines & request.added.get(path, frozenset())
        made = make_mutants(request.sources[path], wanted, per_line=PER_LINE, total=TOTAL)
        if made:
            wanted_first = (first or {}).get(path, wanted)
            mutants[str(request.root / path)] = _in_turn(made, wanted_first)
    if not mutants or not files or seconds <= 0:
        return MutationScore()
    trial = Trial(
        rootdir=request.rootdir,
        python_path=request.python_path,
        pytest_args=(*request.pytest_args, *without_plugins(request.pytest_args)),
        matrix=True,
        launch=launch_in(sandbox),
        readable=(
            request.root,
            request.rootdir,
            *sorted({test.source_path.parent for test in request.tests}),
        ),
    )
    given = {request.target / name: text for name, text in files.items()}
    return run_mutants([str(request.rootdir)], mutants, trial, seconds=seconds, given=given)


def _in_turn(mutants: Sequence[Mutant], first: frozenset[int]) -> list[Mutant]:
    """Return ``mutants``, one of each line before a second one, those of ``first`` in front."""
    seen: Counter[int] = Counter()
    ranked = []
    for place, one in enumerate(mutants):
        ranked.append((one.line not in first, seen[one.line], place))
        seen[one.line] += 1
    return [mutants[place] for *_, place in sorted(ranked)]


def with_strength(test: AdmittedTest, score: MutationScore) -> AdmittedTest:
    """Return ``test`` with the number of faults on its lines and of those it noticed."""
    mine = [r for r in score.results if r.counts and any(_is_of(test, n) for n in r.covering)]
    killed = sum(any(_is_of(test, n) for n in r.killers) for r in mine)
    return replace(test, mutants=len(mine), killed=killed)


def _is_of(test: AdmittedTest, nodeid: str) -> bool:
    """Whether ``nodeid`` is ``test``, one of its parametrizations, or a method of its class."""
    path, _, rest = nodeid.partition("::")
    own = rest.split("::")[0].split("[")[0]
    return path.rsplit("/", 1)[-1] == test.module_name and own == test.name
