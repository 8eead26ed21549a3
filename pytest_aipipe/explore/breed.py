"""Many variations of one test in one process: those that come nearer are varied again.

A greybox search: a variation is kept when it takes a way through the changed files that none
before it took. It is quick because nothing is started, collected or reported in between, and
for the same reason nothing here is believed: what it finds is tried again in a fork of its own.
"""

from __future__ import annotations

import ast
import io
import signal
import sys
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.explore import synthetic
from pytest_aipipe.explore.arcs import Translator
from pytest_aipipe.explore.lessen import lessened
from pytest_aipipe.explore.operands import pairs_of
from pytest_aipipe.explore.paths import Path as Way
from pytest_aipipe.explore.paths import Paths
from pytest_aipipe.explore.variation import FunctionNode, Material, Variation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_aipipe.explore.guards import Recorder
    from pytest_aipipe.explore.wire import Message

ONE_RUN = 0.25  # seconds that one variation may take
MAX_FOUND = 6
MAX_NEAR = 3
MAX_KEPT = 120
MAX_STUCK = 12
MAX_LEARNED = 60

Piece = tuple[str, int, int]
"""Something open: path and line, the third 0; or path and both ends of a branch."""


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
        self.paths = Paths(setup["files"])
        self.translator = Translator(setup["sources"])
        self.open: set[Piece] = {(one[0], one[1], one[2]) for one in message["open"]}
        self.chains: list[tuple[Piece, list[int]]] = [
            ((one[0], one[1], one[2]), chain) for one, chain in message["chains"]
        ]
        self.population: list[Member] = []
        self.seen: set[Way] = set()
        self.learned: set[str] = set()
        self.found: list[FunctionNode] = []
        self.rounds = 0
        self.stuck = 0
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
        calls = _Calls(lambda item: self._vary(function, item))
        plugins = config.pluginmanager
        plugins.register(calls, "aipipe-breed")
        try:
            items[0].ihook.pytest_runtest_protocol(item=items[0], nextitem=None)
        finally:
            plugins.unregister(calls)
        near = sorted(self.population, key=lambda one: -one.nearness)[:MAX_NEAR]
        made = [*self.found[:MAX_FOUND], *(one.function for one in near if one.nearness > 0)]
        found = [ast.unparse(ast.fix_missing_locations(one)) for one in made]
        return {
            "status": "skipped",
            "found": list(dict.fromkeys(found)),
            "detail": f"{self.rounds} variations, {len(self.population)} ways, "
                      f"{len(self.found)} found",
        }  # fmt: skip

    def _vary(self, function: FunctionNode, item: Any) -> None:
        """Be the body of the test: its fixtures are set up, and shared by all variations."""
        material = Material.read(self.message["material"])
        variation = Variation(material, self.rng, self.scope)
        deadline = time.monotonic() + float(self.message["seconds"])
        plain = _Plain().visit(function)
        self._try(ast.fix_missing_locations(plain), item, material)
        if not self.population:
            self.population.append(Member(plain, 0.0))
        with _alarms():
            while self.rounds < self.message["rounds"] and time.monotonic() < deadline:
                if not self.open or len(self.found) >= MAX_FOUND or self.stuck >= MAX_STUCK:
                    return
                member = self._chosen()
                try:
                    varied = variation.of(member.function)
                except (ValueError, IndexError, TypeError, RecursionError):
                    continue
                self._try(varied, item, material)

    def _chosen(self) -> Member:
        """Return the member to vary: the nearest half of the time, else a fresh one."""
        if self.rng.random() < 0.5:  # noqa: PLR2004 - as much for the new as for the near
            best = max(self.population, key=lambda one: one.nearness - 0.01 * one.uses)
        else:
            some = self.rng.sample(self.population, min(4, len(self.population)))
            best = min(some, key=lambda one: one.uses)
        best.uses += 1
        return best

    def _try(self, function: FunctionNode, item: Any, material: Material) -> None:
        self.rounds += 1
        way = self._way(function, item)
        if way is None or way in self.seen:
            return
        self.seen.add(way)
        lines, pieces = self._reached(way)
        new = pieces & self.open
        if new:
            self.open -= new
            self.found.append(lessened(function, lambda one: self._keeps(one, item, new)))
        self.population.append(Member(function, self._nearness(lines)))
        if len(self.population) > MAX_KEPT:
            self.population.remove(min(self.population, key=lambda one: one.nearness - one.uses))
        self._learn(function, item, material)

    def _keeps(self, function: FunctionNode, item: Any, wanted: set[Piece]) -> bool:
        way = self._way(function, item)
        return way is not None and wanted <= self._reached(way)[1]

    def _reached(self, way: Way) -> tuple[Mapping[str, frozenset[int]], set[Piece]]:
        raw: dict[str, list[tuple[int, int]]] = {}
        for path, start, end in way:
            raw.setdefault(path, []).append((start, end))
        lines, arcs = self.translator.reach(raw)
        pieces = {(path, line, 0) for path, found in lines.items() for line in found}
        pieces |= {(path, *arc) for path, found in arcs.items() for arc in found}
        return lines, pieces

    def _nearness(self, lines: Mapping[str, frozenset[int]]) -> float:
        best = 0.0
        for piece, chain in self.chains:
            if piece in self.open and chain:
                ran = lines.get(piece[0], frozenset())
                best = max(best, sum(line in ran for line in chain) / len(chain))
        return best

    def _learn(self, function: FunctionNode, item: Any, material: Material) -> None:
        """Make material of the texts that guards compared on a way that is new."""
        if self.recorder is None or len(self.learned) >= MAX_LEARNED:
            return
        self.recorder.begin()
        try:
            self._way(function, item)
        finally:
            self.recorder.on = False
        for seen in self.recorder.seen:
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
        signal.setitimer(signal.ITIMER_REAL, ONE_RUN, 0.05)
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), self.paths:
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
        return self.paths.taken()


class _Calls:
    """Puts the variations where pytest would call the test function."""

    def __init__(self, act: Any) -> None:
        self.act = act

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: Any) -> bool:
        """Vary in place of calling."""
        self.act(pyfuncitem)
        return True


class _Plain(ast.NodeTransformer):
    """A test without its assertions: only what they call is left, and their ``with raises``."""

    def visit_Assert(self, node: ast.Assert) -> Any:
        test = node.test.left if isinstance(node.test, ast.Compare) else node.test
        if not any(isinstance(one, ast.Call | ast.Subscript) for one in ast.walk(test)):
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Expr(test), node)

    def visit_With(self, node: ast.With) -> Any:
        self.generic_visit(node)
        called = [ast.unparse(one.context_expr) for one in node.items]
        if len(called) == 1 and "raises(" in called[0]:
            return node.body
        return node


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
        sys.settrace(None)


def _function(source: str, name: str) -> FunctionNode | None:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.decorator_list = []
            return node
    return None


def _names(function: FunctionNode) -> list[str]:
    return [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
