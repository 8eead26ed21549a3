"""The explorer as the parent sees it: candidates go in, what they showed comes out."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from aipipe_core.errors import SurroundingsError
from pytest_aipipe.explore.arcs import Translator
from pytest_aipipe.explore.brood import OpenPieces, brood_message
from pytest_aipipe.explore.process import ChildProcess, Launch, command, environment, unsandboxed
from pytest_aipipe.explore.rebuild import CANDIDATE
from pytest_aipipe.explore.trialed import Trialed, read_answer
from pytest_aipipe.explore.wire import Closed, Message
from pytest_aipipe.generate.model import Brood, Candidate, Outcome, RecordedCall

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_aipipe.generate.request import Request

START_TIMEOUT = 60.0
GRACE = 15.0
NEAREST_FILES = 8
RESTARTS = 4
SLOW_TEST = 1.5
MAX_RECORDED_TESTS = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """What the child said of itself once pytest had collected the nearest tests."""

    imported: dict[str, list[tuple[int, int]]]
    problems: tuple[str, ...]
    fixtures: frozenset[str]
    async_mark: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one test of a file fared among others; an empty ``test`` is the whole file."""

    file: str
    test: str
    ok: bool
    detail: str = ""


def _not_ready(stderr: bytes, *, late: bool) -> SurroundingsError:
    what = "The child pytest that tries candidates did not come up"
    hint = "Run pytest without --ai-diff to see whether it collects."
    if late:
        what += f" within {START_TIMEOUT:g} seconds"
        hint = "Run again when the machine is less busy; see how long pytest --collect-only takes."
    # What it said so far is not why it is late.
    where = "" if late else stderr.decode(errors="replace").strip()[-600:]
    return SurroundingsError("explorer-not-ready", what, where=where, hint=hint)


def nearest_files(request: Request, limit: int = NEAREST_FILES) -> list[Path]:
    """Return the test files whose tests run the most of what the gaps' symbols hold."""
    wanted: dict[str, set[int]] = {}
    for gap in request.gaps:
        near = {n + d for n in gap.lines | {a for a, _ in gap.branches} for d in range(-30, 31)}
        wanted.setdefault(gap.path, set()).update(near)
    weight: dict[Path, int] = {}
    for test in request.tests:
        near_lines = sum(len(wanted.get(p, set()) & n) for p, n in test.lines.items())
        touched = near_lines * 10 + sum(len(n) for n in test.lines.values())
        weight[test.source_path] = max(weight.get(test.source_path, 0), touched)
    ranked = sorted(weight, key=lambda path: (-weight[path], str(path)))
    return [path for path in ranked if path.is_file()][:limit]


def source_text(candidate: Candidate) -> str:
    """Return the candidate as the text of a module."""
    prelude = "\n".join(candidate.prelude)
    return f"{prelude}\n\n\n{candidate.function.rstrip()}\n" if prelude else candidate.function


class Explorer:
    """Tries candidates in forks of a child pytest. Use as a context manager.

    The child is started on the first use and again when it died; a candidate that killed it
    has the outcome ``crashed``. Outcomes come back in the order of the batch, whatever the
    order in which they were ready.
    """

    def __init__(
        self,
        request: Request,
        *,
        launch: Launch = unsandboxed,
        jobs: int = 2,
        timeout: float = 4.0,
        hash_seed: str = "0",
        zone: str = "",
        guards: bool = True,
        bare: bool = False,
        preimport: bool = True,
    ) -> None:
        self.request = request
        self.launch = launch
        self.jobs = jobs
        self.timeout = timeout
        self.hash_seed = hash_seed
        self.zone = zone
        self.guards = guards
        self.bare = bare
        self.preimport = preimport
        self.translator = Translator(request.sources)
        self.open = OpenPieces(request.gaps)
        self.tried = 0
        self.notes: list[str] = []
        self._child: ChildProcess | None = None
        self._serving = False
        self._starts = 0
        self._number = 0
        self._over = False
        self.ready = Ready({}, (), frozenset(), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child for good: a thread that still waits for it starts no other."""
        self._over = True
        self.close()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
            self._child = None
        self._serving = False

    def start(self) -> Ready:
        """Wait until the child serves; raise :class:`SurroundingsError` when it cannot."""
        if self._serving:
            return self.ready
        self.begin()
        child = self._child
        assert child is not None  # noqa: S101
        answer: Message | None = {}
        with suppress(Closed):
            answer = child.receive(START_TIMEOUT)
        if answer is None or not answer.get("ready"):
            self.close()
            raise _not_ready(child.stderr, late=answer is None)
        self._serving = True
        self.ready = Ready(
            answer["imported"],
            tuple(answer["problems"]),
            frozenset(answer["fixtures"]),
            answer["plugins"],
        )
        return self.ready

    def begin(self) -> None:
        """Start the child unless it runs, and do not wait for it."""
        if self._child is not None:
            return
        if self._over:
            raise Closed
        if self._starts > RESTARTS:
            raise SurroundingsError(
                "explorer-keeps-dying", "The process in which candidates are tried keeps dying"
            )
        self._starts += 1
        files = [] if self.bare else nearest_files(self.request)
        argv, env = self.launch(
            command(self.request, files),
            environment(self.request, self.hash_seed, alone=self.bare, zone=self.zone),
            self.request.rootdir,
        )
        self._child = ChildProcess(
            argv, cwd=self.request.rootdir, env=env, setup=self._setup(files)
        )

    def _setup(self, files: Sequence[Path]) -> Message:
        request = self.request
        return {
            "files": {str(request.root / path): path for path in request.sources},
            "sources": dict(request.sources),
            "modules": [
                request.modules[path]
                for path in request.sources
                if self.preimport and path in request.modules
            ],
            "target": str(request.target),
            "jobs": self.jobs,
            "guards": self.guards,
            "bare": not files,
        }

    def run(self, batch: Sequence[Candidate]) -> tuple[Outcome, ...]:
        """Try every candidate of ``batch`` and return the outcomes in the same order."""
        return tuple(one.outcome for one in self.try_all(batch))

    def try_all(self, batch: Sequence[Candidate], *, look: bool = False) -> tuple[Trialed, ...]:
        """Try every candidate; with ``look`` the trial also tells what its values were worth."""
        messages = [self._message(one, look=look) for one in batch]
        answers = self.ask(messages)
        tried = tuple(
            read_answer(self._with_imports(a, m), self.translator)
            for a, m in zip(answers, messages, strict=True)
        )
        for one in tried:
            self.open.see(one.outcome)
        return tried

    def _message(self, one: Candidate, *, look: bool) -> Message:
        message: Message = {
            "path": str(self.request.target / f"{CANDIDATE}.py"),
            "source": source_text(one),
            "name": one.name,
            "observe": list(one.observe),
            "look": look,
            "timeout": self.timeout,
        }
        if isinstance(one, Brood):
            message |= brood_message(one, self.open)
        return message

    def try_plain(self, texts: Sequence[tuple[Path, str, str]]) -> tuple[Trialed, ...]:
        """Run whole test files as they would be written: path, text and a name each."""
        messages = [
            {
                "path": str(path),
                "source": text,
                "name": name,
                "plain": True,
                "look": False,
                "timeout": self.timeout,
            }
            for path, text, name in texts
        ]
        answers = self.ask(messages)
        return tuple(
            read_answer(self._with_imports(a, m), self.translator)
            for a, m in zip(answers, messages, strict=True)
        )

    def run_together(
        self, files: Sequence[tuple[Path, str]], *, reverse: bool, timeout: float
    ) -> list[Verdict]:
        """Run whole files one after the other in one process; return each test's verdict."""
        (answer,) = self.ask(
            [
                {
                    "kind": "together",
                    "files": [{"path": str(path), "source": text} for path, text in files],
                    "reverse": reverse,
                    "timeout": timeout,
                }
            ]
        )
        if "results" not in answer:
            return [Verdict("", "", ok=False, detail=str(answer.get("detail") or answer["status"]))]
        return [
            Verdict(one["file"], one["test"], ok=one["ok"], detail=one["detail"])
            for one in answer["results"]
        ]

    @cached_property
    def _known(self) -> frozenset[str]:
        """The changed files that the session imported: of what an import runs, not all is open."""
        ran = self.translator.reach(self.ready.imported)[0]
        still: dict[str, set[int]] = defaultdict(set)
        for gap in self.request.gaps:
            still[gap.path] |= gap.lines
        added = self.request.added
        return frozenset(
            path for path, lines in ran.items() if lines & added.get(path, lines) - still[path]
        )

    def _with_imports(self, answer: Message, message: Message) -> Message:
        """Add what importing the changed modules ran, for a candidate that imports them.

        Not where the session has imported a module: what is open of it no import closes,
        whatever this process's order of imports happened to run.
        """
        if answer.get("status") in {"error", "crashed", "timeout"}:
            return answer
        arcs = answer.setdefault("arcs", {})
        for path, seen in self.ready.imported.items():
            module = self.request.modules.get(path, "")
            if path in self._known:
                continue
            if path in arcs or (module and _mentions(message["source"], module)):
                arcs[path] = [*arcs.get(path, ()), *seen]
        return answer

    def ask(self, messages: Sequence[Message]) -> list[Message]:
        """Send ``messages`` and return the answers in the same order."""
        answers: list[Message] = []
        pending = list(messages)
        while pending:
            self.start()
            done, died = self._round(pending)
            answers += done
            pending = pending[len(done) :]
            if died and pending:
                answers.append({"status": "crashed", "detail": "took the explorer down with it"})
                pending = pending[1:]
        self.tried += len(messages)
        return answers

    def _round(self, messages: Sequence[Message]) -> tuple[list[Message], bool]:
        """Return the answers up to the first that is missing, and whether the child died."""
        assert self._child is not None  # noqa: S101
        first = self._number
        got: dict[int, Message] = {}
        sent = 0
        try:
            while len(got) < len(messages):
                while sent < len(messages) and sent - len(got) < 2 * self.jobs:
                    self._child.send({**messages[sent], "id": first + sent})
                    sent += 1
                patience = max(float(one["timeout"]) for one in messages) * 3 + GRACE
                answer = self._child.receive(patience)
                if answer is None:
                    break  # silent for longer than any candidate may take
                got[answer["id"] - first] = answer
        except Closed:
            pass
        if len(got) < len(messages):
            self.close()
        self._number += len(messages)
        whole: list[Message] = []
        while len(whole) in got:
            whole.append(got[len(whole)])
        return whole, len(whole) < len(messages)

    def record_calls(
        self, symbols: Sequence[tuple[str, str]], *, timeout: float = 15.0
    ) -> tuple[RecordedCall, ...]:
        """Run the nearest tests once and return the calls of ``symbols`` (path, qualified name)."""
        message: Message = {
            "kind": "record",
            "symbols": [list(one) for one in symbols],
            "nodeids": self._recordable(),
            "timeout": timeout,
            "seconds": timeout * 0.6,
        }
        (answer,) = self.ask([message])
        return tuple(
            RecordedCall(
                module=one["module"],
                qualname=one["qualname"],
                receiver=one["receiver"],
                args=tuple(one["args"]),
                kwargs=one["kwargs"],
                imports=tuple(one["imports"]),
                nodeid=one["nodeid"],
                lines=frozenset(one["lines"]),
            )
            for one in answer.get("calls", ())
        )

    def _recordable(self) -> list[str]:
        """Return the quick tests that run the gaps' files, the most telling first."""
        paths = {gap.path for gap in self.request.gaps}
        found = [
            (-sum(len(test.lines.get(path, ())) for path in paths), test.nodeid)
            for test in self.request.tests
            if test.seconds < SLOW_TEST and any(test.lines.get(path) for path in paths)
        ]
        return [nodeid for _, nodeid in sorted(found)][:MAX_RECORDED_TESTS]

    def start_and_import_reach(self) -> dict[str, frozenset[int]]:
        """Return the lines that importing the changed modules runs."""
        return self.translator.reach(self.start().imported)[0]


def _mentions(source: str, module: str) -> bool:
    head, _, last = module.rpartition(".")
    return (
        f"import {module}" in source
        or f"from {module} import" in source
        or (bool(head) and f"from {head} import" in source and last in source)
    )
