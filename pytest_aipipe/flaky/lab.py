"""The laboratory: child pytests under conditions, and trials in their forks."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, Any, Self

from aipipe_core.errors import SurroundingsError
from pytest_aipipe.explore.process import our_folder, without_plugins
from pytest_aipipe.flaky.child.wire import Closed, Lines, Message, send
from pytest_aipipe.flaky.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_aipipe.flaky.condition import Condition
    from pytest_aipipe.flaky.workplace import Workplace

SHUFFLING = ("randomly", "random_order", "reverse", "rerunfailures", "flaky", "flakefinder",
             "repeat", "sugar", "instafail", "testmon", "aipipe")  # fmt: skip
"""Plugins that choose, order, repeat or draw tests; the laboratory does that itself."""
THEIRS = ("--randomly", "--random-order", "--reverse", "--flake-finder", "--flake-runs", "--count",
          "--repeat", "--testmon", "--force-flaky", "--no-flaky", "--max-runs", "--min-passes",
          "--force-sugar", "--instafail")  # fmt: skip
"""Their options, which a child would not know."""
START_SECONDS = 120.0
LEAST_SECONDS = 10.0
_STRANGE = ("PYTEST_", "COV_", "COVERAGE_", "AIPIPE_")


class Child:
    """One child pytest that has collected the tests and waits for trials."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str],
                 setup: Message) -> None:  # fmt: skip
        hear, tell = os.pipe()
        answer, say = os.pipe()
        told = json.dumps({**setup, "incoming": hear, "outgoing": say})
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**env, "AIPIPE_FLAKY": told},
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=subprocess.STDOUT,
            pass_fds=(hear, say),
            start_new_session=True,
        )
        os.close(hear)
        os.close(say)
        self._tell, self._lines = tell, Lines(answer)
        self._count = 0
        self.collected: list[str] = []
        self.at_import: dict[str, int] = {}

    def wait_ready(self) -> None:
        """Wait for collection; raise ``flaky-child`` where it does not come to that."""
        message = self._hear(START_SECONDS)
        if message is None or "collected" not in message:
            words = self.last_words()
            self.close()
            raise SurroundingsError(
                "flaky-child",
                f"A child pytest that tries tests did not come up: {words}",
                hint="See that the tests can be collected in a copy of the project.",
            )
        self.collected = message["collected"]
        self.at_import = message["at_import"]

    def last_words(self) -> str:
        """Return the end of what the child printed, in one line."""
        self._errors.seek(0)
        return " ".join(self._errors.read().decode("utf-8", "replace").split())[-500:]

    def ask(self, message: Message, timeout: float) -> Message:
        """Return the answer to a trial; a child that dies answers for it."""
        self._count += 1
        try:
            send(self._tell, {**message, "id": self._count, "timeout": timeout})
            answer = self._hear(timeout + 20)
        except Closed:
            answer = None
        return answer if answer is not None else {"crashed": "the child pytest ended"}

    def _hear(self, timeout: float) -> Message | None:
        end = time.monotonic() + timeout
        while (message := self._lines.pop()) is None:
            left = end - time.monotonic()
            if left <= 0 or not select([self._lines.fd], [], [], left)[0]:
                return None
            if not self._lines.pull():
                return None
        return message

    def close(self) -> None:
        """End the child."""
        for fd in (self._tell, self._lines.fd):
            try:
                os.close(fd)
            except OSError:
                continue
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


class Bench:
    """A started condition: trials of single tests and of orders. Use as a context manager."""

    def __init__(self, lab: Lab, child: Child) -> None:
        self.lab, self._child = lab, child
        self.collected, self.at_import = child.collected, child.at_import

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()

    def run(self, order: Sequence[str], *, state: Mapping[str, Any] | None = None,
            keep: bool = False, **knobs: Any) -> Outcome:  # fmt: skip
        """Run ``order`` in one fork. ``knobs`` are turned for this trial alone."""
        seconds = sum(self.lab.seconds.get(nodeid, 0.3) for nodeid in order)
        timeout = max(LEAST_SECONDS, 10 * seconds + 0.5 * len(order))
        message = {"order": list(order), "state": state, "keep": keep, "knobs": knobs}
        answer = self._child.ask(message, timeout)
        self.lab.trials += 1
        return self._outcome(order, answer, timeout)

    def _outcome(self, order: Sequence[str], answer: Message, timeout: float) -> Outcome:
        if "verdicts" in answer:
            verdicts = tuple(Verdict.of_wire(one) for one in answer["verdicts"])
            changed = tuple(answer.get("changed", ()))
            trouble = ""
        else:
            kind = "timeout" if "timeout" in answer else "crashed"
            trouble = answer.get("crashed") or f"ran longer than {timeout:.0f} s"
            verdicts = tuple(Verdict(nodeid, kind, trouble) for nodeid in order[-1:])
            changed = ()
        for one in verdicts:
            self.lab.tell(one)
        return Outcome(verdicts, changed, trouble)

    def paths(self, nodeid: str) -> dict[str, str]:
        """Return the module attributes that lead to what the test writes."""
        message = {"order": [nodeid], "paths": True, "knobs": {}}
        answer = self._child.ask(message, LEAST_SECONDS)
        found: dict[str, str] = answer.get("paths", {})
        return found

    def alone(self, nodeid: str, **knobs: Any) -> Verdict:
        """Run one test alone in a fork."""
        return self.run([nodeid], **knobs).verdicts[0]


class Lab:
    """Starts children in the copy of the project, and counts every run of every test.

    ``python_path`` and ``environ`` are those of before the session's own run of the tests, which
    may have changed both; without ``environ`` they are this process's.
    """

    def __init__(self, workplace: Workplace, rootdir: Path, pytest_args: Sequence[str],
                 targets: Sequence[str], python_path: Sequence[str],
                 environ: Mapping[str, str] | None = None) -> None:  # fmt: skip
        self.workplace, self.rootdir = workplace, rootdir
        self._args, self._targets, self._path = list(pytest_args), list(targets), python_path
        self._environ = environ
        self.runs: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.seconds: dict[str, float] = {}
        self.trials = 0
        self._starts = 0

    def tell(self, verdict: Verdict) -> None:
        """Count a run."""
        self.runs[verdict.nodeid] += 1
        self.failures[verdict.nodeid] += verdict.bad
        if verdict.seconds:
            known = self.seconds.get(verdict.nodeid, verdict.seconds)
            self.seconds[verdict.nodeid] = min(max(known, verdict.seconds), 60.0)

    def start(self, condition: Condition, targets: Sequence[str] | None = None) -> Bench:
        """Start a child under ``condition``; raise ``flaky-child`` where it does not come up."""
        self._starts += 1
        scratch = self.workplace.scratch / f"child-{self._starts}"
        (scratch / "tmp").mkdir(parents=True)
        setup = {
            "top": str(self.workplace.copy),
            "origin": str(self.workplace.origin),
            "scratch": str(scratch),
            "knobs": dict(condition.knobs),
        }
        child = Child(
            self.argv(targets if targets is not None else self._targets),
            cwd=self.workplace.inside(self.rootdir),
            env=self.environment(condition, scratch / "tmp"),
            setup=setup,
        )
        child.wait_ready()
        return Bench(self, child)

    def argv(self, targets: Sequence[str]) -> list[str]:
        """Return a child's command."""
        origin, copy = str(self.workplace.origin), str(self.workplace.copy)
        words = [without_theirs(word.replace(origin, copy)) for word in self._args]
        words += ["-p", "pytest_aipipe.flaky.child.plugin"]
        for name in SHUFFLING:
            words += ["-p", f"no:{name}"]
        words += without_plugins(self._args)
        words += ["--continue-on-collection-errors", "--tb=no", "-q"]
        return [sys.executable, "-m", "pytest", *words, *targets]

    def environment(self, condition: Condition, temporary: Path) -> dict[str, str]:
        """Return a child's environment."""
        given = os.environ if self._environ is None else self._environ
        kept = {k: v for k, v in given.items() if not k.startswith(_STRANGE)}
        path = [str(self.workplace.inside(Path(entry))) for entry in self._path if entry]
        if our_folder().name not in {"site-packages", "dist-packages"}:
            path.append(str(our_folder()))
        kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path))
        kept["TMPDIR"] = str(temporary)
        for name, value in condition.environment.items():
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = value
        return kept


def without_theirs(word: str) -> str:
    """Return a setting of ``addopts`` without the options of plugins that a child lacks."""
    if not word.startswith("addopts="):
        return word
    kept = [one for one in shlex.split(word[len("addopts=") :]) if not one.startswith(THEIRS)]
    return f"addopts={shlex.join(kept)}"
