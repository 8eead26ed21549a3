"""Many variations of one test in one process: those that come nearer are varied again.

A greybox search: a variation is kept when it takes a way through the changed files that none
before it took. It is quick because nothing is started, collected or reported in between, and
for the same reason nothing here is believed: what it finds is tried again in a fork of its own.
"""

from __future__ import annotations

import ast
import io
import signal
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from _pytest.unittest import TestCaseFunction

from aipipe_core import syntax
from pytest_aipipe.explore import synthetic
from pytest_aipipe.explore.bodies import Calls, Case, Plain
from pytest_aipipe.explore.lessen import lessened
from pytest_aipipe.explore.marks import Marks, Piece, Way
from pytest_aipipe.explore.operands import is_large, pairs_of
from pytest_aipipe.explore.variation import FunctionNode, Material, Variation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from pytest_aipipe.explore.guards import Recorder
    from pytest_aipipe.explore.wire import Message

ONE_RUN = 0.25  # seconds that one variation may take
MAX_FOUND = 10
MAX_HANDED_ON = 40
MAX_KEPT = 120
MAX_PASSING = 40
MAX_STUCK = 12
MAX_STALE = 500
TIE = 0.02
MAX_LEARNED = 80
MAX_LESSONS = 16


class Overtime(BaseException):
    """Leaves a variation that takes too long; no handler of ordinary code catches it."""


@dataclass(slots=True)
class Member:
    """One of the population: ``nearness`` is 0 to 1, ``uses`` how often it was varied."""

    function: FunctionNode
    nearness: float
    uses: int = 0


class Breed:
    """Varies the test that ``message`` holds until it closed what is open, or its rounds end."""

    def __init__(
        self, session: pytest.Session, message: Message, setup: Message, recorder: Recorder | None
    ) -> None:
        self.session = session
        self.message = message
        self.recorder = recorder
        self.rng = Random(message["seed"])  # noqa: S311 - nothing secret is drawn
        sources = setup["sources"]
        self.marks = Marks(
            {
                name: (path, sources[path])
                for name, path in setup["files"].items()
                if path in sources
            }
        )
        self.open: set[Piece] = {(one[0], one[1], one[2]) for one in message["open"]}
        self.chains: list[tuple[Piece, list[int]]] = [
            ((one[0], one[1], one[2]), chain) for one, chain in message["chains"]
        ]
        self.ends: dict[tuple[str, int], set[int]] = {}
        for path, start, end in self.open:
            self.ends.setdefault((path, start), set()).add(end)
        self.population: list[Member] = []
        self.passing: list[Member] = []
        self.seen: set[Way] = set()
        self.marked: set[int] = set()
        self.signatures: set[Way] = set()
        self.focus = self.marks.near((path, line) for path, line in message["focus"])
        self.learned: set[str] = set()
        self.found: list[FunctionNode] = []
        self.rounds = 0
        self.stuck = 0
        self.last_new = 0
        self.lessons = 0
        self.nearest = 0.0
        self.scope: dict[str, Any] = {}

    def run(self, path: Path) -> Message:
        """Return the sources of what was found, with the nearest of the others after them."""
        source, name = self.message["source"], self.message["name"]
        code = compile(source, str(path), "exec", dont_inherit=True)
        config = self.session.config
        parent = synthetic.parent_for(self.session, path.parent)
        module = synthetic.build_module(path, code, config, {})
        items = list(synthetic.items_of(synthetic.module_node(parent, path, module)))
        self.scope = module.__dict__
        function = _function(source, name)
        if not items or function is None:
            return {"status": "skipped", "found": [], "detail": "nothing to vary"}
        if isinstance(items[0], TestCaseFunction):
            self._vary(function, Case(items[0].parent.obj, items[0].name))  # type: ignore[union-attr]
        else:
            self._within(items[0], function)
        near = sorted(self.population, key=lambda one: -one.nearness)[:MAX_HANDED_ON]
        return {
            "status": "skipped",
            "found": _sources(self.found[:MAX_FOUND]),
            "near": _sources([one.function for one in near if one.nearness > 0]),
            "tries": max(1, self.rounds),
            "detail": f"{self.rounds} variations, {len(self.population)} ways, "
                      f"{len(self.found)} found",
        }  # fmt: skip

    def _within(self, item: pytest.Item, function: FunctionNode) -> None:
        """Vary where pytest would call the test, with its fixtures set up."""
        calls = Calls(lambda one: self._vary(function, one))
        plugins = self.session.config.pluginmanager
        plugins.register(calls, "aipipe-breed")
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        finally:
            plugins.unregister(calls)

    def _vary(self, function: FunctionNode, item: Any) -> None:
        """Be the body of the test: its fixtures are set up, and shared by all variations."""
        material = Material.read(self.message["material"])
        variation = Variation(material, self.rng, self.scope)
        # Processor time, so that a busy machine tries as much and finds the same.
        deadline = time.process_time() + float(self.message["seconds"])
        latest = time.monotonic() + float(self.message["patience"])
        plain = Plain().visit(function)
        self._try(ast.fix_missing_locations(plain), item, material)
        for text in self.message["others"]:
            other = _function(text, function.name)
            if other is not None:
                self._try(other, item, material)
        if not self.population:
            self.population.append(Member(plain, 0.0))
        with _alarms():
            while self.rounds < self.message["rounds"] and time.process_time() < deadline:
                if not self.open or len(self.found) >= MAX_FOUND or self.stuck >= MAX_STUCK:
                    return
                if self.rounds - self.last_new > MAX_STALE or time.monotonic() > latest:
                    return
                member = self._chosen()
                try:
                    varied = variation.of(member.function)
                except (ValueError, IndexError, TypeError, RecursionError):
                    continue
                self._try(varied, item, material)

    def _chosen(self) -> Member:
        """Return the member to vary: one of the nearest half of the time."""
        turn = self.rng.random()
        if turn < 0.5:  # noqa: PLR2004
            top = max(one.nearness for one in self.population) - TIE
            pool = [one for one in self.population if one.nearness >= top]
        elif turn < 0.8 or not self.passing:  # noqa: PLR2004
            pool = self.population
        else:
            pool = self.passing
        best = min(self.rng.sample(pool, min(3, len(pool))), key=lambda one: one.uses)
        best.uses += 1
        return best

    def _try(self, function: FunctionNode, item: Any, material: Material) -> None:
        self.rounds += 1
        way = self._way(function, item)
        if way is None or way in self.seen:
            return
        self.seen.add(way)
        self.last_new = self.rounds
        pieces = self._reached(way)
        new = pieces & self.open
        if new:
            self.open -= new
            self.found.append(lessened(function, lambda one: self._keeps(one, item, new)))
        member = Member(function, self._nearness(pieces))
        nearer = member.nearness > self.nearest
        if nearer:
            self.nearest = member.nearness
            self.lessons = max(0, self.lessons - 4)
        fresh = frozenset(way & self.focus)
        if nearer or fresh not in self.signatures or not way <= self.marked:
            self.signatures.add(fresh)
            self.marked |= way
            self.population.append(member)
            self._learn(function, item, material)
        else:  # nothing new here, but another state may come of it
            self.passing.append(member)
            del self.passing[: len(self.passing) - MAX_PASSING]
        if len(self.population) > MAX_KEPT:
            self.population.remove(min(self.population, key=lambda one: one.nearness - one.uses))

    def _keeps(self, function: FunctionNode, item: Any, wanted: set[Piece]) -> bool:
        way = self._way(function, item)
        return way is not None and wanted <= self._reached(way)

    def _reached(self, way: Way) -> set[Piece]:
        return self.marks.reached(way) | {
            # A test that went the other way took each branch but the one into its body.
            (path, start, end)
            for path, start, first in self.marks.reached(way)
            if first < 0
            for end in self.ends.get((path, start), ())
            if end != -first
        }

    def _nearness(self, pieces: set[Piece]) -> float:
        best = 0.0
        for piece, chain in self.chains:
            if piece in self.open and chain:
                found = sum((piece[0], line, 0) in pieces for line in chain)
                best = max(best, found / len(chain))
        return best

    def _learn(self, function: FunctionNode, item: Any, material: Material) -> None:
        """Make material of the texts that guards compared on a way that is new."""
        if self.recorder is None or self.lessons >= MAX_LESSONS:
            return
        self.lessons += 1
        with self.marks.away():
            self.recorder.begin()
            try:
                self._way(function, item)
            finally:
                self.recorder.on = False
        for seen in self.recorder.seen:
            if is_large(seen["right"]):
                continue  # its members are many, and would be tried before all else
            for pair in pairs_of(seen["left"], seen["right"], seen["op"]):
                mark = repr(pair)
                if mark not in self.learned and len(self.learned) < MAX_LEARNED:
                    self.learned.add(mark)
                    material.pairs.append(pair)
                    material.tokens.extend(one for one in pair if isinstance(one, str) and one)

    def _way(self, function: FunctionNode, item: Any) -> Way | None:
        """Run a function as the test's body; return the way it took, None where it hung."""
        tree = ast.Module(body=[function], type_ignores=[])
        scope = self.scope
        try:
            exec(compile(tree, "<variation>", "exec", dont_inherit=True), scope)  # noqa: S102
        except (SyntaxError, ValueError, TypeError, RecursionError, OverflowError):
            return None
        made = scope[function.name]
        first = [item.instance] if item.instance is not None else []
        passed = {name: item.funcargs[name] for name in _names(function) if name in item.funcargs}
        hung = False
        self.marks.begin()
        signal.setitimer(signal.ITIMER_REAL, ONE_RUN, 0.05)
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                if isinstance(item, Case):
                    item.call(made)
                else:
                    made(*first, **passed)
        except Overtime:
            hung = True
        except BaseException:  # noqa: S110 - what it raises is not the question here
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            undo = getattr(item.funcargs.get("monkeypatch"), "undo", None)
            if undo is not None:
                undo()
        if hung:
            self.stuck += 1
            return None
        return self.marks.way()


@contextmanager
def _alarms() -> Iterator[None]:
    def leave(_signal: int, _frame: Any) -> None:
        raise Overtime

    before = signal.signal(signal.SIGALRM, leave)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _function(source: str, name: str) -> FunctionNode | None:
    for node in ast.walk(syntax.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.decorator_list = []
            return node
    return None


def _sources(functions: list[FunctionNode]) -> list[str]:
    texts = (ast.unparse(ast.fix_missing_locations(one)) for one in functions)
    return list(dict.fromkeys(texts))


def _names(function: FunctionNode) -> list[str]:
    return [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
