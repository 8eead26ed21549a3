"""Replay: judge recorded or simulated traffic and say what would have been done.

The file holds a JSON object a line. ``{"window": ID}`` begins a window and may carry
``dispersion``, ``seconds``, ``warmup``; every other line is one tick of counts. Ticks that
cannot be used are findings of their window; a line that is no JSON object is an error of
the request, since nothing after it can be trusted.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError
from aipipe_deploy.judge import Arm, Judge, JudgeSettings, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BATCH = 12_000
"""Lines, about twenty windows: much more work than it takes to send them."""
_scan = json.JSONDecoder().raw_decode
_Batch = tuple[int, list[str]]
_HEADER_SETTINGS = ("dispersion", "seconds", "warmup")


_Failure = tuple[str, str, str, str]
_Judged = tuple[list["WindowVerdict"], _Failure | None]


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """One window's name and what the judge said of it."""

    window: str
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """Return the contract's line for this window."""
        verdict = self.verdict
        line: dict[str, Any] = {
            "window": self.window,
            "verdict": verdict.outcome.value,
            "t": verdict.t,
            "reason": verdict.reason,
        }
        if verdict.wants_probes:
            line["wants_probes"] = True
        if verdict.findings:
            line["findings"] = list(verdict.findings)
        return line


def replay(
    lines: Iterable[str],
    *,
    settings: JudgeSettings | None = None,
    where: str = "the recording",
    first_line: int = 1,
) -> Iterator[WindowVerdict]:
    """Judge every window of ``lines``; yield each one's verdict in order.

    Raises :class:`RequestError` (``replay-line``, ``replay-no-window``) naming the line;
    the first one counts as ``first_line``.
    """
    base = settings or JudgeSettings()
    name: str | None = None
    judge = Judge(base)
    for number, line in enumerate(lines, first_line):
        if judge.verdict is not None and '"window"' not in line:
            continue
        text = line.strip()
        if not text:
            continue
        record = _parse(text, number, where)
        if "window" in record:
            if name is not None:
                yield WindowVerdict(name, judge.finish())
            name = str(record["window"])
            judge = Judge(_settings(base, record, number, where))
        elif name is None:
            raise RequestError(
                "replay-no-window",
                "a tick stands before the first window",
                where=f"{where}, line {number}",
                hint='Begin each window with a line like {"window": "w1", "dispersion": 1.0}.',
            )
        else:
            feed(judge, record)
    if name is not None:
        yield WindowVerdict(name, judge.finish())


def replay_in_parallel(
    lines: Iterable[str],
    *,
    settings: JudgeSettings | None = None,
    where: str = "the recording",
    jobs: int = 1,
) -> Iterator[WindowVerdict]:
    """As :func:`replay`, in ``jobs`` processes where there is enough to share out.

    Windows do not know of each other. Only a few batches are held in memory at a time.
    """
    batches = _batches(lines)
    first = next(batches, None)
    second = next(batches, None) if jobs > 1 else None
    if first is None or second is None:
        rest = (line for _, batch in batches for line in batch)
        yield from replay(
            itertools.chain(first[1] if first else (), rest), settings=settings, where=where
        )
        return
    work = functools.partial(_replay_batch, settings=settings, where=where)
    with ProcessPoolExecutor(jobs) as pool:
        waiting: deque[Future[_Judged]] = deque()
        for batch in itertools.chain((first, second), batches):
            waiting.append(pool.submit(work, batch))
            if len(waiting) > 2 * jobs:
                yield from _taken(waiting.popleft().result())
        while waiting:
            yield from _taken(waiting.popleft().result())


def _replay_batch(batch: _Batch, *, settings: JudgeSettings | None, where: str) -> _Judged:
    """Judge a batch; an error does not hide the verdicts before it."""
    number, lines = batch
    verdicts: list[WindowVerdict] = []
    try:
        verdicts.extend(replay(lines, settings=settings, where=where, first_line=number))
    except RequestError as error:
        return verdicts, (error.slug, error.what, error.where, error.hint)
    return verdicts, None


def _taken(judged: _Judged) -> Iterator[WindowVerdict]:
    verdicts, failure = judged
    yield from verdicts
    if failure:
        slug, what, where, hint = failure
        raise RequestError(slug, what, where=where, hint=hint)


def _batches(lines: Iterable[str]) -> Iterator[_Batch]:
    """Cut the lines before a window's header, every ``_BATCH`` lines or more."""
    batch: list[str] = []
    first = 1
    for number, line in enumerate(lines, 1):
        if len(batch) >= _BATCH and '"window"' in line:
            yield first, batch
            batch, first = [], number
        batch.append(line)
    if batch:
        yield first, batch


def feed(judge: Judge, record: dict[str, Any]) -> None:
    """Give one recorded tick to the judge; what cannot be read becomes a finding."""
    try:
        old, new = record["old"], record["new"]
        judge.observe(record["t"] + 0.0, _arm(old), _arm(new), record.get("crash") or "")
    except KeyError as error:
        judge.note(f"{error.args[0]} is missing")
    except (TypeError, AttributeError, OverflowError):
        judge.note("a count is not a number")


def _arm(counts: dict[str, Any]) -> Arm:
    """Read one version's counts; adding 0 refuses what is no number."""
    slow = counts.get("slow")
    return Arm(
        counts["requests"] + 0,
        counts["bad"] + 0,
        None if slow is None else (slow["p50"] + 0, slow["p95"] + 0, slow["p99"] + 0),
    )


def _parse(text: str, number: int, where: str) -> dict[str, Any]:
    try:
        record, end = _scan(text)
        if end != len(text):
            record = json.loads(text)  # which says what is wrong with the rest
    except (ValueError, RecursionError) as error:
        raise _bad_line(f"this line is not JSON: {error}", number, where) from error
    if not isinstance(record, dict):
        raise _bad_line("this line is no JSON object", number, where)
    return record


def _bad_line(what: str, number: int, where: str) -> RequestError:
    return RequestError(
        "replay-line",
        what,
        where=f"{where}, line {number}",
        hint="Each line holds one window header or one tick.",
    )


def _settings(
    base: JudgeSettings, header: dict[str, Any], number: int, where: str
) -> JudgeSettings:
    changes: dict[str, Any] = {}
    for name in _HEADER_SETTINGS:
        value = header.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _bad_line(f"{name} is {value!r}, not a number", number, where)
        changes[name] = value
    try:
        return replace(base, **changes) if changes else base
    except RequestError as error:
        raise RequestError(
            error.slug, error.what, where=f"{where}, line {number}", hint=error.hint
        ) from error
