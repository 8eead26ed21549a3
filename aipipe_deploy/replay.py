"""Replay: judge recorded or simulated traffic and say what would have been done.

The file holds a JSON object a line. ``{"window": ID}`` begins a window and may carry
``dispersion``, ``seconds``, ``warmup``; every other line is one tick of counts. Ticks that
cannot be used are findings of their window; a line that is no JSON object is an error of
the request, since nothing after it can be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from aipipe_core.errors import RequestError
from aipipe_deploy.judge import Arm, Judge, JudgeSettings, Verdict

_BATCH = 512
_HEADER_SETTINGS = ("dispersion", "seconds", "warmup")


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """One window's name and what the judge said of it."""

    window: str
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """The contract's line for this window."""
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
    lines: Iterable[str], *, settings: JudgeSettings | None = None, where: str = "the recording"
) -> Iterator[WindowVerdict]:
    """Judge every window of ``lines``; yield each one's verdict in order.

    Raises :class:`RequestError` (``replay-line``, ``replay-no-window``) naming the line.
    """
    base = settings or JudgeSettings()
    name: str | None = None
    judge = Judge(base)
    for number, text in _relevant(lines, lambda: judge.verdict is not None):
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


def feed(judge: Judge, record: dict[str, Any]) -> None:
    """Give one recorded tick to the judge; what cannot be read becomes a finding."""
    try:
        t = record["t"]
        old, new = record["old"], record["new"]
        old_slow, new_slow = old.get("slow"), new.get("slow")
        judge.observe(
            t + 0.0,
            Arm(
                old["requests"] + 0,
                old["bad"] + 0,
                old_slow and (old_slow["p50"] + 0, old_slow["p95"] + 0, old_slow["p99"] + 0),
            ),
            Arm(
                new["requests"] + 0,
                new["bad"] + 0,
                new_slow and (new_slow["p50"] + 0, new_slow["p95"] + 0, new_slow["p99"] + 0),
            ),
            record.get("crash") or "",
        )
    except KeyError as error:
        judge.note(f"{error.args[0]} is missing")
    except (TypeError, AttributeError):
        judge.note("a count is not a number")


def _relevant(lines: Iterable[str], decided: Any) -> Iterator[tuple[int, str]]:
    """Number the lines, and pass over those of a window that is decided."""
    for number, line in enumerate(lines, 1):
        if decided() and '"window"' not in line:
            continue
        if not line.isspace():
            yield number, line


def _parse(text: str, number: int, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
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
    return replace(base, **changes) if changes else base
