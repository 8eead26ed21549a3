"""A gap with everything that the techniques ask about it, worked out once."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis import mined
from pytest_aipipe.engines.analysis.failures import provoking
from pytest_aipipe.engines.analysis.flow import answers
from pytest_aipipe.engines.analysis.guards import Guards, guards_of_branch, guards_of_line
from pytest_aipipe.engines.analysis.module import Definition, ModuleView, view
from pytest_aipipe.engines.seeds import Seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.engines.analysis.solve import Answers
    from pytest_aipipe.engines.source.existing import Taken
    from pytest_aipipe.generate.model import Arc, Gap, KnownTest, Outcome, Scene


_BESIDE = 80  # lines around the gap in which a test is near it
_MARKS = 8  # a text no longer than this, without letters, is a set of characters


@dataclass(eq=False)
class Situation:
    """``lines`` and ``arcs`` are what is still open; outcomes shrink them."""

    gap: Gap
    scene: Scene
    module: ModuleView
    lines: set[int] = field(default_factory=set)
    arcs: set[Arc] = field(default_factory=set)
    seeds: Seeds = field(default_factory=Seeds)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    taken: dict[str, Taken] = field(default_factory=dict)
    missed: Counter[str] = field(default_factory=Counter)  # how often a separator was put in
    _answers: dict[tuple[Guards, ...], Answers] = field(default_factory=dict)

    @classmethod
    def of(cls, gap: Gap, scene: Scene) -> Situation | None:
        """Read the gap's module; None where its source cannot be parsed."""
        source = scene.sources.get(gap.path)
        module = view(gap.path, gap.module, source) if source is not None else None
        if module is None:
            return None
        return cls(gap, scene, module, set(gap.lines), set(gap.branches))

    @property
    def closed(self) -> bool:
        """Whether nothing is open any more."""
        return not self.lines and not self.arcs

    @property
    def size(self) -> int:
        """How many lines and branches are open."""
        return len(self.lines) + len(self.arcs)

    def is_open(self, place: int | Arc | None) -> bool:
        """Whether one of :attr:`places` was not reached yet; None stands for what always is."""
        return place is None or place in (self.arcs if isinstance(place, tuple) else self.lines)

    def learn(self, outcome: Outcome) -> bool:
        """Take off what an outcome ran; return whether that was anything."""
        if outcome.status in {"timeout", "crashed", "error", "skipped"}:
            return False
        ran = outcome.lines.get(self.gap.path, frozenset())
        arcs = outcome.arcs.get(self.gap.path, frozenset())
        new = bool(self.lines & ran or self.arcs & arcs)
        self.lines -= ran
        self.arcs -= arcs
        return new

    @cached_property
    def target(self) -> Definition | None:
        """The innermost definition of the gap; None for a module body."""
        wanted = sorted(self.gap.lines | {a for a, _ in self.gap.branches})
        found = [self.module.at(line) for line in wanted]
        named = self.module.definitions.get(self.gap.symbol)
        for definition in found:
            if definition is not None and not definition.is_class:
                return definition
        return named or next((d for d in found if d is not None), None)

    @cached_property
    def targets(self) -> tuple[Definition, ...]:
        """Every definition that holds an open line or branch, in the order of the source."""
        wanted = sorted(self.gap.lines | {a for a, _ in self.gap.branches})
        found = [self.module.at(line) for line in wanted]
        return tuple(dict.fromkeys(d for d in found if d is not None))

    @cached_property
    def guards(self) -> tuple[Guards, ...]:
        """What must hold for each open line and branch, in order."""
        lines = [guards_of_line(self.module, n) for n in sorted(self.gap.lines)]
        arcs = [guards_of_branch(self.module, a) for a in sorted(self.gap.branches)]
        return (*lines, *arcs)

    def answers(self, guards: Sequence[Guards] | None = None) -> Answers:
        """Return values that guards ask for, by what they are about; all guards by default."""
        asked = self.guards if guards is None else tuple(guards)
        if asked not in self._answers:
            function = self.target.outermost.node if self.target is not None else None
            self._answers[asked] = answers(asked, function)
        return self._answers[asked]

    @cached_property
    def guard_literals(self) -> tuple[str, ...]:
        """Literals of the guards and texts that their patterns match, likeliest first."""
        found: list[str] = []
        for guards in self.guards:
            for condition in reversed(guards.conditions):
                found += mined.literals(condition.test) + mined.patterns(condition.test)
            found += [x for loop in guards.loops if isinstance(loop, ast.For)
                      for x in mined.literals(loop.iter)]  # fmt: skip
        found += provoking(self.guards)
        spread = [v for lit in found for v in _members(lit)]
        near = [v for lit in found for v in mined.around(lit)]
        return tuple(mined.unique([*found, *spread, *near]))

    @cached_property
    def body_literals(self) -> tuple[str, ...]:
        """Literals of the definitions around the gap and of module-level constants they name."""
        found: list[str] = []
        for definition in self.targets:
            found += mined.literals(definition.node) + mined.patterns(definition.node)
            names = {n.id for n in ast.walk(definition.node) if isinstance(n, ast.Name)}
            for node in self.module.tree.body:
                if isinstance(node, ast.Assign) and any(
                    isinstance(t, ast.Name) and t.id in names for t in node.targets
                ):
                    found += mined.literals(node.value)[:20] + mined.patterns(node.value)
        return tuple(mined.unique(v for lit in found for v in (lit, *_members(lit))))

    @cached_property
    def separators(self) -> tuple[str, ...]:
        """Texts by which the definitions around the gap split others."""
        nodes = dict.fromkeys(d.outermost.node for d in self.targets)
        return tuple(mined.unique(text for node in nodes for text in mined.separators(node)))

    @property
    def places(self) -> tuple[int | Arc, ...]:
        """The gap's lines and branches, in the order of :attr:`chains`."""
        return (*sorted(self.gap.lines), *sorted(self.gap.branches))

    @cached_property
    def chains(self) -> tuple[tuple[int, ...], ...]:
        """For each open place, the lines on the way to it: entry of the function, guards."""
        found: list[tuple[int, ...]] = []
        wanted = [(n, guards_of_line(self.module, n)) for n in sorted(self.gap.lines)]
        wanted += [(a[0], guards_of_branch(self.module, a)) for a in sorted(self.gap.branches)]
        for line, guards in wanted:
            holder = self.module.at(line)
            entry = [_entry(holder)] if holder is not None and not holder.is_class else []
            steps = [c.test.lineno for c in guards.conditions]
            steps += [loop.lineno for loop in guards.loops]
            steps += [t.lineno + 1 for t, _ in guards.handlers]
            found.append(tuple(dict.fromkeys([*entry, *sorted(set(steps)), line])))
        return tuple(found)

    def nearness(self, ran: frozenset[int]) -> float:
        """Return how near a run came to the nearest place that is open: 0 to 1."""
        best = 0.0
        for chain in self.chains:
            line = chain[-1]
            if line in self.lines or any(a == line for a, _ in self.arcs):
                best = max(best, sum(n in ran for n in chain) / len(chain))
        return best

    @cached_property
    def around(self) -> frozenset[int]:
        """The lines of the gap's definitions: which of them ran tells paths apart."""
        return frozenset(n for d in self.targets for n in range(d.start, d.end + 1))

    @cached_property
    def guard_lines(self) -> frozenset[int]:
        """The lines of the conditions on the way."""
        return frozenset(n for g in self.guards for c in g.conditions
                         for n in range(c.test.lineno, (c.test.end_lineno or 0) + 1))  # fmt: skip

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What a test that gets near would call: the symbol, its class, its callers."""
        found: list[str] = []
        for definition in self.targets:
            node: Definition | None = definition
            while node is not None:
                found.append(node.name)
                node = node.owner
            found += [c.name for c in self.callers(definition)]
        return tuple(mined.unique(n for n in found if n not in {"__init__", "wrapper"}))

    def callers(self, definition: Definition) -> list[Definition]:
        """Return the definitions of this module that name ``definition``, nearest first."""
        found = []
        for other in self.module.definitions.values():
            if other is definition or other.is_class or other.owner is definition:
                continue
            if definition.owner is other:
                continue
            for node in ast.walk(other.node):
                name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
                if name == definition.name:
                    found.append(other)
                    break
        return found

    @cached_property
    def tests(self) -> tuple[KnownTest, ...]:
        """The project's tests, those that came nearest to the gap first, one for each function."""
        seen: dict[tuple[str, str], KnownTest] = {}
        for test in self.scene.tests:
            seen.setdefault((str(test.source_path), test.qualname), test)
        order = list(seen.values())
        ranked = sorted(range(len(order)), key=lambda i: (-self._rank(order[i]), i))
        return tuple(order[i] for i in ranked if self._rank(order[i]) > 0)

    def _rank(self, test: KnownTest) -> float:
        ran = test.lines.get(self.gap.path, frozenset())
        near = self.nearness(ran)
        words = sum(1 for name in self.names if name.strip("_").lower() in test.qualname.lower())
        symbol = [n for d in self.targets for n in range(d.start, d.end + 1)]
        beside = [n for n in ran if self._first - _BESIDE <= n <= self._last + _BESIDE]
        return (
            10 * near
            + words
            + 3 * len(ran.intersection(symbol)) / (len(symbol) or 1)
            + min(2.0, 0.1 * len(beside))
            + (0.5 if ran else 0.0)
        )

    @cached_property
    def _first(self) -> int:
        return min([*self.gap.lines, *(a for a, _ in self.gap.branches)], default=0)

    @cached_property
    def _last(self) -> int:
        return max([*self.gap.lines, *(a for a, _ in self.gap.branches)], default=0)


def _members(literal: str) -> list[str]:
    try:
        value = syntax.literal(literal)
    except (ValueError, SyntaxError):
        return []
    if isinstance(value, tuple | list | set | frozenset | dict):
        return [repr(v) for v in value][:30]
    if isinstance(value, str) and 1 < len(value) <= _MARKS and not value.isalnum():
        return [repr(c) for c in value]
    return []


def _entry(definition: Definition) -> int:
    body = definition.node.body
    first = body[0]
    is_doc = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1].lineno if is_doc and len(body) > 1 else first.lineno
