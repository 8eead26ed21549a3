"""One walk through the history: each commit measured before it is remembered, then labelled.

The label is that of SZZ (Sliwerski, Zimmermann, Zeller, MSR 2005) with the refinements of
Kim et al. (ASE 2006): the lines that a later fix removed are traced to the commits that wrote
them; comments, blank lines, imports, moved and re-indented lines are left out, and so are
sweeping fixes. A commit that a revert names is labelled as well.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe.past.code import carries, is_product_code, moved_marks
from aipipe.past.measures import Known, measure, product_lines
from aipipe.past.memory import Memory, Touch, remember, remember_fault
from aipipe.past.origins import UNKNOWN, Tree, applied, mark, removed_origins
from aipipe.past.purpose import purpose_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aipipe.past.commit import FilePatch, PastCommit

MOST_FILES = 10
MOST_REMOVED = 200
"""A fix larger than this mends more than one thing, and blames whoever wrote anything."""
KEPT_TREES = 50


@dataclass(slots=True)
class Row:
    """A measured commit. ``found`` is when a fix first showed that it was faulty, if ever."""

    number: int
    name: str
    time: float
    author: str
    measures: dict[str, float]
    paths: tuple[str, ...] = ()
    found: float | None = None
    found_by: str = ""


@dataclass(slots=True)
class Walk:
    """The state of a walk; it may go on from where it ended."""

    memory: Memory = field(default_factory=Memory)
    times: list[float] = field(default_factory=list)
    writers: list[str] = field(default_factory=list)
    faulty: set[int] = field(default_factory=set)
    rows: dict[int, Row] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    last: str = ""

    def known(self, parent: str) -> Known:
        """Return what is known before a commit whose first parent is ``parent``."""
        tree = self.trees.get(parent, {})
        return Known(tree, self.memory, self.times, self.writers, self.faulty)

    def take(self, commits: Iterable[PastCommit], children: Mapping[str, int]) -> Iterator[Row]:
        """Take the commits in order and yield the row of each that is no merge.

        ``children`` counts the children of each commit, so that a tree that nobody builds
        on any more is let go; the newest ones are kept, for branches that come in later.
        """
        left = dict(children)
        spent: deque[str] = deque(name for name in self.trees if name != self.last)
        for commit in commits:
            row = self._take(commit)
            for parent in commit.parents:
                left[parent] = left.get(parent, 1) - 1
                if left[parent] <= 0:
                    spent.append(parent)
            self._let_go(spent, left)
            self.last = commit.name
            if row:
                yield row

    def _let_go(self, spent: deque[str], left: Mapping[str, int]) -> None:
        while len(spent) > KEPT_TREES:
            name = spent.popleft()
            if left.get(name, 0) <= 0:
                self.trees.pop(name, None)

    def _take(self, commit: PastCommit) -> Row | None:
        number = len(self.times)
        self.times.append(float(commit.time))
        self.writers.append(commit.author)
        self.numbers[commit.name] = number
        first = commit.parents[0] if commit.parents else ""
        tree = self.trees.get(first, {})
        product = [file for file in commit.files if is_product_code(file.path)]
        others = [self.trees[name] for name in commit.parents[1:] if name in self.trees]
        row = None
        if not commit.is_merge:
            paths = tuple(file.path for file in product)
            measures = measure(commit, self.known(first))
            row = Row(number, commit.name, float(commit.time), commit.author, measures, paths)
            self.rows[number] = row
            self._learn(commit, product, tree)
        self.trees[commit.name] = applied(tree, commit, number, product, others)
        return row

    def _learn(self, commit: PastCommit, product: list[FilePatch], tree: Tree) -> None:
        purpose, now = purpose_of(commit.message), float(commit.time)
        for number in self._blamed(commit, product, tree):
            row = self.rows.get(number)
            if row is None or row.found is not None:
                continue
            row.found, row.found_by = now, commit.name
            self.faulty.add(number)
            remember_fault(self.memory, now, row.author, row.paths)
        touch = Touch(
            now,
            commit.author,
            tuple((f.before, f.path) for f in product if f.status != "D"),
            tuple(f.path for f in product if f.status == "D"),
            product_lines(commit),
            purpose.fixes,
        )
        remember(self.memory, touch)

    def _blamed(self, commit: PastCommit, product: list[FilePatch], tree: Tree) -> list[int]:
        purpose = purpose_of(commit.message)
        found = [self._named(name) for name in purpose.reverts]
        if purpose.fixes:
            found += blamed_lines(product, tree)
        own = len(self.times) - 1
        return sorted({number for number in found if number not in (UNKNOWN, own)})

    def _named(self, beginning: str) -> int:
        if beginning in self.numbers:
            return self.numbers[beginning]
        for name, number in reversed(self.numbers.items()):
            if name.startswith(beginning):
                return number
        return UNKNOWN


def blamed_lines(product: list[FilePatch], tree: Tree) -> list[int]:
    """Return the commits that wrote the lines which a fix removed; none for a sweeping one."""
    if not product or len(product) > MOST_FILES:
        return []
    moved = moved_marks(product)
    found: Counter[int] = Counter()
    for file in product:
        for hunk, origins in zip(file.hunks, removed_origins(tree, file), strict=True):
            for line, origin in zip(hunk.removed, origins, strict=False):
                if carries(line) and mark(line) not in moved:
                    found[origin] += 1
    return list(found) if sum(found.values()) <= MOST_REMOVED else []
