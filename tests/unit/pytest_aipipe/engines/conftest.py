"""A small world to try candidates in: modules given as text, run in this process."""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
from collections.abc import Callable
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import pytest

from pytest_aipipe.engines.local import LocalEngine
from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.generate.model import (
    Arc,
    Candidate,
    Gap,
    KnownTest,
    Outcome,
    RecordedCall,
    Scene,
)

ROOT = Path("/project")


class World:
    """Holds one module under test and the tests that are known of it."""

    def __init__(self, source: str, *, name: str = "shop") -> None:
        self.name = name
        self.path = f"{name}.py"
        self.source = dedent(source).strip() + "\n"
        self.tests: list[KnownTest] = []
        self.test_sources: dict[Path, str] = {}
        self.calls: list[RecordedCall] = []
        self.tried: list[Candidate] = []

    def knows(self, source: str, *names: str) -> World:
        """Add a test file; ``names`` are the tests in it."""
        path = ROOT / "tests" / f"test_{len(self.test_sources)}.py"
        self.test_sources[path] = dedent(source).strip() + "\n"
        for name in names:
            ran = {self.path: frozenset[int]()}
            self.tests.append(KnownTest(f"{path}::{name}", path, name, (), {}, ran, {}))
        return self

    def line(self, text: str) -> int:
        """Return the number of the first line that holds ``text``."""
        return next(i for i, x in enumerate(self.source.splitlines(), 1) if text in x)

    def scene(self) -> Scene:
        """Return the scene of the whole module as one change."""
        lines = frozenset(range(1, self.source.count("\n") + 1))
        return Scene(
            root=ROOT, sources={self.path: self.source}, added={self.path: lines},
            tests=self.tests, calls=self.calls, test_sources=self.test_sources,
            fixtures=frozenset({"monkeypatch", "tmp_path"}), rng=Random(1),
        )  # fmt: skip

    def gap(self, symbol: str, *texts: str, branches: frozenset[Arc] = frozenset()) -> Gap:
        """Return the gap of the lines that hold ``texts``."""
        return Gap(self.path, self.name, symbol, frozenset(map(self.line, texts)), branches)

    def situation(self, symbol: str, *texts: str) -> Situation:
        """Return the situation of a gap."""
        found = Situation.of(self.gap(symbol, *texts), self.scene())
        assert found is not None
        return found

    def close(
        self, symbol: str, *texts: str, most: int = 400, engine: LocalEngine | None = None
    ) -> Candidate:
        """Let the engine work until the gap is closed and return the candidate that did it."""
        gap = self.gap(symbol, *texts)
        return self.close_gap(gap, most=most, engine=engine)

    def close_gap(
        self, gap: Gap, *, most: int = 400, engine: LocalEngine | None = None
    ) -> Candidate:
        """Let the engine work on ``gap``; fail when it gives up."""
        proposals = (engine or LocalEngine()).propose(gap, self.scene())
        batch = next(proposals, None)
        while batch is not None and len(self.tried) < most:
            outcomes = []
            for candidate in batch:
                outcome = self.run(candidate)
                self.tried.append(candidate)
                if (
                    gap.lines <= outcome.lines.get(self.path, frozenset())
                    and outcome.status != "error"
                ):
                    proposals.close()
                    return candidate
                outcomes.append(outcome)
            try:
                batch = proposals.send(outcomes)
            except StopIteration:
                break
        raise AssertionError(f"{len(self.tried)} candidates did not reach {sorted(gap.lines)}")

    def run(self, candidate: Candidate) -> Outcome:
        """Run a candidate in this process and tell which lines of the module ran."""
        module = types.ModuleType(self.name)
        ran: set[int] = set()

        def local(frame: types.FrameType, event: str, _: object) -> object:
            if event == "line":
                ran.add(frame.f_lineno)
            return local

        def trace(frame: types.FrameType, *_: object) -> object:
            return local if frame.f_code.co_filename == self.path else None

        exec(compile(self.source, self.path, "exec"), module.__dict__)
        known = sys.modules.get(self.name)
        sys.modules[self.name] = module
        before = sys.gettrace()
        patch = pytest.MonkeyPatch()
        status, raised = "passed", None
        try:
            names: dict[str, object] = {"__name__": "candidate"}
            text = "\n".join((*candidate.prelude, candidate.function))
            exec(compile(text, "candidate.py", "exec"), names)
            test: Any = names[candidate.name]
            wanted = inspect.signature(test).parameters
            if set(wanted) - {"monkeypatch"}:
                return Outcome("error")
            sys.settrace(trace)  # type: ignore[arg-type]
            found = test(**({"monkeypatch": patch} if wanted else {}))
            if inspect.iscoroutine(found):
                asyncio.run(found)
        except BaseException as error:  # a candidate raises anything
            status, raised = "raised", f"{type(error).__name__}: {error}"
        finally:
            sys.settrace(before)
            patch.undo()
            if known is None:
                sys.modules.pop(self.name, None)
            else:
                sys.modules[self.name] = known
        return Outcome(status, {self.path: frozenset(ran)}, raised=raised)


WorldOf = Callable[..., World]


@pytest.fixture
def world() -> WorldOf:
    """Make a world from a module's source."""
    return World
