"""Try mutants on test files: start the child session, read its answers, keep the score."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pytest_aipipe.mutate.model import Mutant, MutantResult, Mutants, MutationScore, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GRACE = 20.0
"""Seconds that the child has to end by itself after its time is spent."""


class Launch(Protocol):
    """Starts the child; a sandbox is one of these. Returns what it printed at the end."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        private: Path,
        readable: Sequence[Path],
        seconds: float,
    ) -> str:
        """Run ``argv`` to its end, or end it and its children after ``seconds``.

        ``private`` is the one folder that it writes to; ``readable`` are folders that it
        needs to see beside ``cwd``.
        """
        ...


def launch_plainly(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    private: Path,
    readable: Sequence[Path],
    seconds: float,
) -> str:
    """Return a :class:`Launch` without any isolation but a session of its own."""
    del private, readable
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
    return said.decode(errors="replace")[-2000:]


@dataclass(frozen=True, slots=True)
class Trial:
    """Where and how the tests run: the same settings under which they were admitted."""

    rootdir: Path
    python_path: tuple[str, ...] = ()
    pytest_args: tuple[str, ...] = ()
    python: str = sys.executable
    jobs: int = 2
    matrix: bool = False
    launch: Launch = launch_plainly
    readable: tuple[Path, ...] = ()
    environ: Mapping[str, str] | None = None  # those of this process by default


def run_mutants(
    tests: Sequence[Path | str],
    mutants: Mutants,
    trial: Trial,
    *,
    seconds: float,
    given: Mapping[Path, str] | None = None,
) -> MutationScore:
    """Try ``mutants`` (by absolute module path) on ``tests`` (files or node ids).

    A mutant is tried on the tests that pass without it and whose run reaches its statement;
    the first failure kills it, and so does a time many times the usual one. After
    ``seconds`` the mutants that are left are :attr:`~Verdict.UNJUDGED`. With
    ``trial.matrix`` every covering test is run, for :meth:`MutationScore.of_test`.
    With ``given`` the tests are those of these texts and no others, collected as if they
    stood at their paths; ``tests`` then only tells pytest where to look for conftests.
    """
    listed = [(path, mutant) for path in sorted(mutants) for mutant in mutants[path]]
    if not listed or not tests:
        return MutationScore(tuple(_result(p, m, {}, ()) for p, m in listed))
    with tempfile.TemporaryDirectory(prefix="aipipe-mutants-") as folder:
        private = Path(folder)
        said = _start(tests, listed, trial, private, seconds, given or {})
        answers = _read(private / "answers.jsonl")
    return _score(listed, answers, said)


def _start(
    tests: Sequence[Path | str],
    listed: Sequence[tuple[str, Mutant]],
    trial: Trial,
    private: Path,
    seconds: float,
    given: Mapping[Path, str],
) -> str:
    texts = {path: Path(path).read_text("utf-8") for path in {path for path, _ in listed}}
    asked = {
        "answers": str(private / "answers.jsonl"),
        "texts": texts,
        "mutants": [_asked(i, path, m, texts[path]) for i, (path, m) in enumerate(listed)],
        "seconds": seconds,
        "asked_at": time.time(),
        "jobs": trial.jobs,
        "matrix": trial.matrix,
        "given": [{"path": str(path), "source": source} for path, source in given.items()],
    }
    scratch = private / "scratch"  # what the tests leave in the temporary folder goes with us
    scratch.mkdir()
    request = private / "request.json"
    request.write_text(json.dumps(asked), "utf-8")
    env = {
        **(os.environ if trial.environ is None else trial.environ),
        "AIPIPE_MUTATE": str(request),
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([*trial.python_path, *_own_path(trial)]),
    }
    argv = child_argv(tests, trial, private)
    folders = {Path(path) for path in [*trial.python_path, *_own_path(trial)]}
    folders |= {*trial.readable, *(test.parent for test in tests if isinstance(test, Path))}
    return trial.launch(
        argv,
        cwd=trial.rootdir,
        env=env,
        private=private,
        readable=sorted(folders),
        seconds=seconds + _GRACE,
    )


def child_argv(tests: Sequence[Path | str], trial: Trial, private: Path) -> list[str]:
    """Return the command line of the child session."""
    return [
        trial.python,
        "-m",
        "pytest",
        "-p",
        "pytest_aipipe.mutate.child",
        "-p",
        "no:aipipe",
        "-p",
        "no:cacheprovider",
        f"--basetemp={private / 'tmp'}",
        "-q",
        "--tb=native",  # most runs fail here, and nobody reads how
        *trial.pytest_args,
        *(str(test) for test in tests),
    ]


def _own_path(trial: Trial) -> list[str]:
    """Where our own package lies, when another interpreter might not have it."""
    del trial
    return [str(Path(__file__).parents[2])]


def _asked(ident: int, path: str, mutant: Mutant, text: str) -> dict[str, Any]:
    """Return the mutant as an edit: requests with whole texts would be large."""
    prefix = len(commonpath([text, mutant.source]))
    rest = min(len(text), len(mutant.source)) - prefix
    tails = [text[::-1][:rest], mutant.source[::-1][:rest]]
    suffix = len(commonpath(tails))
    return {
        "ident": ident,
        "path": path,
        "first": mutant.first or mutant.line,
        "last": mutant.last or mutant.line,
        "start": prefix,
        "end": len(text) - suffix,
        "new": mutant.source[prefix : len(mutant.source) - suffix],
    }


def _read(path: Path) -> list[dict[str, Any]]:
    answers = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            answers.append(json.loads(line))
        except ValueError:
            continue  # cut off when the child was ended
    return answers


def _score(
    listed: Sequence[tuple[str, Mutant]], answers: Sequence[dict[str, Any]], said: str
) -> MutationScore:
    verdicts = {a["id"]: a for a in answers if a["kind"] == "mutant"}
    covering = {a["id"]: tuple(a["tests"]) for a in answers if a["kind"] == "covering"}
    tests: dict[str, Any] = next((a for a in answers if a["kind"] == "tests"), {"unstable": []})
    errors = [a["text"] for a in answers if a["kind"] == "error"]
    results = tuple(
        _result(path, mutant, verdicts.get(index, {}), covering.get(index, ()))
        for index, (path, mutant) in enumerate(listed)
    )
    note = "; ".join(errors) or ("" if answers else f"the child session did not start: {said}")
    return MutationScore(results, tuple(tests["unstable"]), note)


def _result(
    path: str, mutant: Mutant, answer: Mapping[str, Any], covering: tuple[str, ...]
) -> MutantResult:
    return MutantResult(
        path=path,
        mutant=mutant,
        verdict=Verdict(answer.get("verdict", "unjudged")),
        covering=covering,
        killers=tuple(answer.get("killers", ())),
        seconds=float(answer.get("seconds", 0.0)),
        tripped={test: tuple(found) for test, found in answer.get("tripped", {}).items()},
    )
