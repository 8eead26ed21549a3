"""Decide with the map: each test by what it ran, and by the import graph where that is silent.

A test is left out only when its record speaks for it: it passed when it last ran, in this
environment, and nothing that it ran, read or was made from differs. Of a test without a
record only the import graph speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytest_aipipe.select import metadata, served
from pytest_aipipe.select.compare import compare
from pytest_aipipe.select.decide import SETTINGS, Decider, Facts, Narrowed, Selection
from pytest_aipipe.select.demand import Clause, Demand
from pytest_aipipe.select.evidence import Evidence, Found
from pytest_aipipe.select.files import EVER, Contents, Files, Past
from pytest_aipipe.select.settings import differ
from pytest_aipipe.select.spread import Spread
from pytest_aipipe.select.testmap import Known, digest_of
from pytest_aipipe.select.watch import EARLY, MODULE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aipipe_core.change.model import Change, FileChange
    from pytest_aipipe.select.graph import Graph
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.tables import Given, Rows

COMPILED = frozenset(
    {".c", ".h", ".cc", ".cpp", ".pyx", ".pxd", ".pxi", ".rs", ".f90", ".so", ".pyd"}
)
"""Endings of what becomes code that no line of Python shows."""


UNTOUCHED = "nothing that it ran, read or is made from changed"
SKIPPED = "it is skipped, and nothing that it ran or read before that changed"


class Map(Protocol):
    """What is asked of :class:`pytest_aipipe.select.testmap.TestMap`."""

    def tests(self) -> dict[str, Known]:
        """Return what is known of each test."""

    def contents(self) -> dict[str, list[str]]:
        """Return the recorded digests by path."""

    def rows(self, path: str, digest: str) -> list[tuple[str, bytes, bytes]]:
        """Return who ran a content."""

    def source(self, path: str, digest: str) -> bytes | None:
        """Return a recorded content."""

    def reads(self) -> dict[str, list[str]]:
        """Return what modules read at import."""

    def mentions(self, digest: str) -> Mentions | None:
        """Return what a content mentions, None where that is not recorded."""


class Item(NamedTuple):
    """A collected test: where it stands, and what it is called and uses.

    ``names`` are the classes and the function of its node id; ``skipped`` says that this session
    is sure to skip it; ``given`` what a row of a table gives it, by argument.
    """

    nodeid: str
    path: str | None
    names: frozenset[str] = frozenset()
    fixtures: frozenset[str] = frozenset()
    doctest: bool = False
    skipped: bool = False
    given: Mapping[str, Given] = MappingProxyType({})

    @property
    def is_python(self) -> bool:
        """Whether it is code that was traced when it ran."""
        return self.path is not None and self.path.endswith((".py", ".pyw"))


@dataclass(slots=True)
class Plan:
    """The decision, and what the order of the selected tests is made from."""

    selection: Selection
    known: Mapping[str, Known] = field(default_factory=dict)
    found: Found = field(default_factory=Found)


class Planner:
    """Plans one session."""

    def __init__(self, change: Change, graph: Graph, facts: Facts, contents: Contents) -> None:
        self._change, self._graph, self._facts = change, graph, facts
        self._contents = contents
        self._by_graph = Decider(change, graph, facts)
        self.files = Files(self._by_graph.data, contents, facts.installed, texts=self._texts())

    def plan(self, items: Sequence[Item], memory: Map | None) -> Plan:
        """Decide for ``items``; without a map as the import graph says."""
        known = memory.tests() if memory else {}
        spoken: list[Item] = []
        silent: list[Item] = []
        for item in items:
            (spoken if item.nodeid in known and item.is_python else silent).append(item)
        reasons: dict[str, str] = {}
        left_out: dict[str, str] = {}
        if silent:
            graph = self._by_graph.select([(item.nodeid, item.path) for item in silent])
            reasons.update(graph.reasons)
            left_out.update(graph.left_out)
        found = Found()
        if memory and spoken:
            tests = {item.path for item in items if item.path}
            spread, evidence = self._demand(memory, known, tests)
            demand = spread.demand
            found = _met(spread, evidence)
            contents = memory.contents()
            running = evidence.ran(demand.whole, contents) if demand.whole else {}
            doubtful = demand.doubtful(self._facts.loaded, tests)
            unsure = None if doubtful is None else evidence.ran_any(doubtful, contents)
            verdict = _Verdict(self, demand, found, known, running, unsure, spoken)
            for item in spoken:
                reason = verdict.of(item)
                if reason:
                    reasons[item.nodeid] = reason
                else:
                    left_out[item.nodeid] = SKIPPED if item.skipped else UNTOUCHED
        ordered = {item.nodeid: reasons[item.nodeid] for item in items if item.nodeid in reasons}
        return Plan(Selection(len(items), ordered, left_out), known, found)

    # What changed

    def _demand(
        self, memory: Map, known: Mapping[str, Known], tests: Collection[str]
    ) -> tuple[Spread, Evidence]:
        recorded = memory.contents()
        evidence = Evidence(memory.rows)
        changed = self._by_graph.python
        present = {path: self._contents.now(path) for path in recorded.keys() | changed.keys()}
        present |= {path: self._contents.now(path) for path in self._graph.files - present.keys()}
        versions: dict[str, list[tuple[str, bytes]]] = {}
        stale: list[tuple[str, str]] = []
        lost: dict[str, str] = {}
        for path, now in present.items():
            digest = digest_of(now) if now is not None else ""
            for one in recorded.get(path, ()):
                source = now if one == digest else memory.source(path, one)
                if source is None:
                    lost[path] = f"{path} changed, and how is not known"
                    continue
                versions.setdefault(path, []).append((one, source))
                if one != digest or path in changed:
                    stale.append((path, one))
            if path not in recorded and now is not None:
                versions[path] = [(digest, now)]
        spread = Spread(versions, self._graph, tests, memory.mentions)
        spread.demand.whole.update(lost)
        spread.demand.wider |= bool(lost)
        for key in stale:
            self._compare(spread, key, dict(versions[key[0]])[key[1]], present[key[0]])
        for path in changed.keys() - recorded.keys():
            self._unrecorded(spread.demand, path, present[path])
        reads = memory.reads()
        early = frozenset(reads.pop(EARLY, ()))
        past = Past(frozenset(reads.pop(EVER, ())), early)
        self.files = Files(self.data, self._contents, self._facts.installed, past, self._texts())
        self._imported(spread, reads, early)
        if self._facts.installed and self._has_stale(known, reads):
            spread.touched += metadata.asking(spread.index)
        served.add_kept(spread, early, evidence.both)
        for file in (*self._by_graph.inert, *self.data):
            for place in filter(None, (file.path, file.old_path)):
                why = f"names {file.path}, which changed"
                spread.add_file(place, why, may_be_loaded=file in self.data)
        spread.demand.clauses += self.files.kept(recorded)
        return spread, evidence

    def _imported(
        self, spread: Spread, reads: Mapping[str, Sequence[str]], early: Collection[str]
    ) -> None:
        """Add who has to do with a module that opened a file when it was imported."""
        every = [(who, place) for who, read in reads.items() for place in read]
        for who, place in every:
            if not self.files.differs(place):
                continue
            module = who.removeprefix(MODULE)
            why = f"{module} {self.files.why(place)}"
            if self.files.is_stale(place):
                found = metadata.made(spread.index, module, was_early=module in early)
                spread.ask(module, found, why)
            else:
                spread.demand.whole.setdefault(module, why)

    def _has_stale(self, known: Mapping[str, Known], reads: Mapping[str, Sequence[str]]) -> bool:
        every = (*(one.reads or () for one in known.values()), *reads.values())
        return any(self.files.is_stale(place) for some in every for place in some)

    def _compare(
        self, spread: Spread, key: tuple[str, str], source: bytes, now: bytes | None
    ) -> None:
        """Compare a recorded content with what stands there now, and with the change's base."""
        path = key[0]
        if now is None:
            spread.demand.wider = True
            spread.demand.whole[path] = f"{path} is gone"
            spread.demand.clauses.append(Clause(f"ran {path}, which is gone", [{key: None}]))
            return
        if source != now:
            spread.add(key, compare(source, now), now)
        if path in self._by_graph.python:
            base = self._contents.base(path)
            if base is not None and base != source:
                spread.add(key, compare(source, base, past=True), base)

    def _unrecorded(self, demand: Demand, path: str, now: bytes | None) -> None:
        """A changed file that no test has loaded: who can is for the import graph to say.

        What only a changed line imports is that line's business.
        """
        demand.wider = True
        file = self._by_graph.python[path]
        name = PurePosixPath(path).name
        if file.status == "A" and now is not None and name not in ("conftest.py", "__init__.py"):
            changed = self._by_graph.python
            for other in self._graph.files - changed.keys():
                if path in self._graph.targets(other):
                    demand.whole.setdefault(other, f"{other} imports {path}, which is new")
            return
        demand.whole.setdefault(path, f"{path} changed")

    @property
    def data(self) -> list[FileChange]:
        """Changed files that are no Python, and that no kind excuses."""
        return self._by_graph.data

    def _texts(self) -> list[FileChange]:
        """Return the changed files of Python, and those that no test is taken to read."""
        changed = (*self._by_graph.python.values(), *self._by_graph.inert)
        return list({file.path: file for file in changed}.values())

    def everything(self) -> str:
        """Return why every test has to run, "" where there is no such reason."""
        for file in self.data:
            path = PurePosixPath(file.path)
            if path.name in SETTINGS and self._settings_differ(file):
                return f"{file.path} changed, which any test may depend on"
            if path.suffix in COMPILED:
                return f"{file.path} changed, which becomes code that no line shows"
        return ""

    def _settings_differ(self, file: FileChange) -> bool:
        now, before = self._contents.now, self._contents.base
        return file.status != "M" or differ(file.path, before(file.path), now(file.path))

    def narrowed(self, whole: Mapping[str, str]) -> Decider:
        """Return the import graph's decision for the files ``whole``."""
        python = {path: _as_change(self._by_graph.python, path) for path in whole}
        return Decider(self._change, self._graph, self._facts, Narrowed(python, whole))

    def has_changed(self, path: str | None) -> bool:
        """Whether ``path`` is among the changed files."""
        return any(file.path == path for file in self._change.files)

    @property
    def reads_count(self) -> bool:
        """Whether any file that a test may have opened can differ."""
        return bool(self.is_code or self._by_graph.inert or self._facts.installed)

    @property
    def is_code(self) -> bool:
        """Whether anything changed that another program could notice."""
        return bool(self._by_graph.python or self.data)

    def named(self, nodeid: str) -> str | None:
        """Return the reason of a test that was asked for by name."""
        return self._by_graph.named(nodeid)


class _Verdict:
    """Answers for one test after the other, given what the change demands."""

    def __init__(
        self,
        planner: Planner,
        demand: Demand,
        found: Found,
        known: Mapping[str, Known],
        running: Mapping[str, str],
        unsure: Collection[str] | None,
        items: Sequence[Item],
    ) -> None:
        self._planner, self._demand, self._found, self._known = planner, demand, found, known
        self._everything = demand.everything or planner.everything()
        places = [(item.nodeid, item.path) for item in items]
        self._whole = planner.narrowed(demand.whole).select(places)
        self._running, self._unsure = running, unsure
        self._reading = bool(planner.reads_count)
        self._parts: dict[str, dict[str, str]] = {}
        for (path, name), why in demand.parts.items():
            self._parts.setdefault(path, {})[name] = why
        self._tables: dict[str, dict[str, list[Rows]]] = {}
        for (path, name), tables in demand.tables.items():
            self._tables.setdefault(path, {})[name] = tables
        self._fixtures: dict[str, dict[str, str]] = {}
        for (path, name), why in demand.fixtures.items():
            self._fixtures.setdefault(name, {})[path] = why

    def of(self, item: Item) -> str | None:
        """Return why the test runs, None where it need not."""
        nodeid = item.nodeid
        known = self._known[nodeid]
        last = known.verdicts[-1:]
        if last in ("", "?"):
            return "what it ran was not seen to its end"
        if last == "f":
            return "failed when it last ran"
        return (
            self._planner.named(nodeid)
            or self._everything
            or self._found.tests.get(nodeid)
            or self._made_from(item)
            or (self._beside(nodeid, known) if known.starts or self._reading else None)
            or self._running.get(nodeid)
            or self._whole.reasons.get(nodeid)
        )

    def _made_from(self, item: Item) -> str | None:
        # What a skipped test is made from never runs, and its module was imported to know that.
        parts = {} if item.skipped else self._parts.get(item.path or "", {})
        for name in parts.keys() & item.names:
            return parts[name]
        tables = {} if item.skipped else self._tables.get(item.path or "", {})
        for name in tables.keys() & item.names:
            for some in tables[name]:
                if not some.keeps(item.given):
                    return some.why
        for name in self._fixtures.keys() & item.fixtures:
            for path, why in self._fixtures[name].items():
                folder = path.rpartition("/")[0]
                near = path == item.path or not path.endswith("conftest.py")
                if near or _is_below(item.path or "", folder):
                    return why
        changed = item.doctest and self._planner.has_changed(item.path)
        return "its own file changed" if changed else None

    def _may_notice_more(self, nodeid: str) -> bool:
        """Whether another process may have noticed more than what it ran shows."""
        return self._unsure is None or nodeid in self._unsure

    def _beside(self, nodeid: str, known: Known) -> str | None:
        """Return what the test did besides running code that concerns it."""
        if known.starts == UNKNOWN and self._planner.is_code:
            return "starts other programs"
        if known.starts and self._planner.is_code and self._may_notice_more(nodeid):
            return "starts other programs, which may notice more than statements of functions"
        if not self._reading:
            return None
        files = self._planner.files
        if known.reads is None:
            return "reads more files than were counted"
        read = files.differing(known.reads)
        return files.why(read) if read else None


def _met(spread: Spread, evidence: Evidence) -> Found:
    """Return who meets the demand; what modules run at import may make it a larger one."""
    demand, found = spread.demand, Found()
    asked, run = 0, set[str]()
    while asked < len(demand.clauses):
        some, asked = demand.clauses[asked:], len(demand.clauses)
        found.take(evidence.meet(some))
        for path in found.modules.keys() - run:
            run.add(path)
            served.add_run(spread, path, evidence.of_module(path))
    for path, why in found.outside.items():
        demand.whole.setdefault(path, f"{why}, outside of tests")
    return found


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _as_change(changed: Mapping[str, FileChange], path: str) -> FileChange:
    from aipipe_core.change.model import FileChange, Kind

    return changed.get(path) or FileChange(path, "M", frozenset({Kind.CODE}))
