"""The nouns of generation: gap, scene, candidate, outcome, and the engine Protocol.

An engine proposes *candidates* for a *gap*. A candidate is the source of one test
function and the module-level statements that it needs, so that what is tried is what is
later written. The explorer runs candidates in a sandbox and answers with *outcomes*:
which changed lines and branches ran, what was raised, what the observed expressions were
worth, and the operands of the comparisons on the way. Assertions are added afterwards
from what was observed, and the gate decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path
    from random import Random

Arc = tuple[int, int]
"""A branch as coverage.py has it: from line, to line; a negative target leaves the code object."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Changed lines and branches of one symbol that nothing ran.

    ``path`` is repository-relative; ``module`` is its dotted import name as the project's
    tests import it; ``symbol`` a qualified name without ``<locals>``, or ``<module>``.
    """

    path: str
    module: str
    symbol: str
    lines: frozenset[int]
    branches: frozenset[Arc]

    @property
    def size(self) -> int:
        """How many lines and branches are open."""
        return len(self.lines) + len(self.branches)


@dataclass(frozen=True, slots=True)
class KnownTest:
    """A collected test of the project, as material to amplify.

    ``lines`` are the lines it ran, by repository-relative path (changed files only).
    ``nodeid`` names it with its parametrization. ``source_path`` is absolute.
    """

    nodeid: str
    source_path: Path
    qualname: str
    fixtures: tuple[str, ...]
    params: Mapping[str, str]  # parametrized argument -> source or repr of its value
    lines: Mapping[str, frozenset[int]]
    arcs: Mapping[str, frozenset[Arc]]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call seen while the tests ran: how its receiver and arguments can be rebuilt.

    Each value is Python source that builds an equal value, or None where none could be
    found; ``imports`` are the statements that this source needs.
    """

    module: str
    qualname: str
    receiver: str | None
    args: tuple[str | None, ...]
    kwargs: Mapping[str, str | None]
    imports: tuple[str, ...]
    nodeid: str
    lines: frozenset[int] = frozenset()  # lines of the called function that this call ran


@dataclass(frozen=True, slots=True)
class Scene:
    """All that an engine may know about a gap's surroundings; it never touches the disk.

    ``sources`` maps the changed files' repository-relative paths to their text. ``added``
    are the changed lines by path. ``tests`` are the project's tests, nearest to the gap
    first. ``fixtures`` are the names that a test written to the target folder can ask for.
    ``rng`` is seeded from the change: the same change gives the same candidates.
    """

    root: Path
    sources: Mapping[str, str]
    added: Mapping[str, frozenset[int]]
    tests: Sequence[KnownTest]
    calls: Sequence[RecordedCall]
    test_sources: Mapping[Path, str]
    fixtures: frozenset[str]
    rng: Random
    async_mark: str | None = None  # "asyncio", "anyio", ... where the project has such a plugin
    tries: Sequence[tuple[Candidate, Outcome]] = ()  # of engines before: what came nearest


@dataclass(frozen=True, slots=True)
class Candidate:
    """A test to try: ``prelude`` (imports, copied helpers), and one test function.

    ``function`` is the whole source of a test function (decorators, ``def``, body) or, for
    a unittest-style test, of a class with one test method. ``observe`` are expressions over
    the function's local names whose values should become assertions; existing ``assert``
    statements in it are observation points as well and are corrected or dropped when they
    do not hold. ``mocked`` is set when a surrounding is forced.
    """

    technique: str
    name: str
    function: str
    prelude: tuple[str, ...] = ()
    observe: tuple[str, ...] = ()
    mocked: bool = False
    untrusted: bool = False  # nobody of ours wrote it: it never runs outside the sandbox
    origin: str = ""  # e.g. the node id of the test that was amplified
    note: str = ""  # what this test shows, in the words of its docstring or comment


@dataclass(frozen=True, slots=True)
class Material:
    """What variations of a test may draw from, all of it as source or text.

    ``texts`` are whole texts, ``tokens`` pieces worth putting into one; ``keywords`` pairs of
    a parameter's name and a value for it.
    """

    texts: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brood(Candidate):
    """A candidate to be varied many times in one process; its outcome has what was ``found``.

    ``chains`` are the open places of the gap (path, line and 0; or path and both ends of a
    branch), each with the lines on the way to it. ``others`` are sources of functions to begin
    with as well: what an earlier brood of the same test ended with. ``focus`` are the lines
    (path and number) on which every difference counts. Ends after ``rounds``
    variations, or after ``seconds`` of processor time where those are slow.
    """

    material: Material = field(default_factory=Material)
    chains: tuple[tuple[tuple[str, int, int], tuple[int, ...]], ...] = ()
    others: tuple[str, ...] = ()
    focus: tuple[tuple[str, int], ...] = ()
    rounds: int = 600
    seconds: float = 2.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Operands seen at a guard: ``left op right`` at ``path:line``.

    ``left`` and ``right`` are Python source for the values where they can be written,
    otherwise None; of a long container a display of some members, ``{1, 2, ...}``.
    ``op`` is ``==``, ``<``, ``in``, ``isinstance``, ``truth``, ...
    """

    path: str
    line: int
    op: str
    left: str | None
    right: str | None
    taken: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a candidate showed.

    ``status`` is ``passed``, ``failed`` (an assertion), ``raised`` (an exception left the
    test), ``error`` (set-up, import, fixture), ``timeout``, ``crashed`` or ``skipped``.
    ``lines`` and ``arcs`` are those of changed files that ran inside the test.
    """

    status: str
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    arcs: Mapping[str, frozenset[Arc]] = field(default_factory=dict)
    raised: str | None = None  # "ValueError: message"
    raised_at: tuple[str, int] | None = None
    comparisons: tuple[Comparison, ...] = ()
    seconds: float = 0.0
    detail: str = ""
    admitted: bool = False  # it became a test that passed the gate
    refused: str = ""  # why it did not, where it reached something open
    found: tuple[str, ...] = ()  # of a brood: sources of functions that closed something
    near: tuple[str, ...] = ()  # of a brood: sources of those that came nearest
    tries: int = 1  # how many runs it stands for; of a brood, its variations


class Engine(Protocol):
    """A source of candidates.

    ``propose`` is a generator: it yields a batch of candidates and receives the batch's
    outcomes in the same order. It ends when it has nothing more to offer, and is closed
    when the gap is closed or its share of the budget is spent. Deterministic for a scene.
    """

    name: str

    def propose(
        self, gap: Gap, scene: Scene
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        """Yield batches of candidates for ``gap``, steered by the outcomes sent back."""
        ...
