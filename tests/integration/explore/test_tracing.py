from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.generate.model import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_aipipe.generate.request import Request

SOURCE = """\
import asyncio
import contextlib
import functools


def wrapped(function):
    @functools.wraps(function)
    def inner(*args):
        if args:
            return function(*args)
        return None

    return inner


@wrapped
def tricky(values):
    seen = [v for v in values if v > 1]
    try:
        for value in values:
            if value == 2:
                continue
            while value > 3:
                value -= 1
                if value == 4:
                    break
            else:
                seen.append(value)
        with contextlib.suppress(KeyError):
            raise KeyError(seen)
    finally:
        seen.sort(key=lambda v: -v)
    match seen:
        case [first, *_] if first > 2:
            return first
        case []:
            return "none"
        case _:
            return seen


def each(limit):
    number = 0
    while True:
        if number >= limit:
            return
        yield number
        number += 1


async def later(flag):
    await asyncio.sleep(0)
    if (
        flag
        and each
    ):
        return "yes"
    return "no"
"""
CALLS = [
    "shop.tricky([1, 2, 5])",
    "shop.tricky([])",
    "shop.tricky([2])",
    "list(shop.each(2))",
    "asyncio.run(shop.later(True)), shop.tricky()",
]


def test_branches_are_those_that_coverage_reports(
    make_request: Callable[..., Request], tmp_path: Path
) -> None:
    request = make_request(SOURCE)
    batch = [
        Candidate(
            "t", "test_it", f"def test_it():\n    {call}\n", ("import asyncio", "import shop")
        )
        for call in CALLS
    ]
    with Explorer(request) as explorer:
        outcomes = explorer.run(batch)
    for call, outcome in zip(CALLS, outcomes, strict=True):
        told = reported(request, call, tmp_path)
        lines, arcs = outcome.lines["shop.py"], outcome.arcs["shop.py"]
        assert arcs & request.arcs["shop.py"] == told[1], call
        assert lines == told[0], call


def reported(
    request: Request, call: str, folder: Path
) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    script, report = folder / "call.py", folder / "report.json"
    script.write_text(f"import asyncio\nimport shop\n{call}\n")
    base = [sys.executable, "-m", "coverage"]
    env = {"PYTHONPATH": str(request.root), "COVERAGE_FILE": str(folder / "data")}
    run = [*base, "run", "--branch", f"--include={request.root}/shop.py", str(script)]
    subprocess.run(run, env=env, cwd=folder, check=True)
    subprocess.run([*base, "json", "-q", "-o", str(report)], env=env, cwd=folder, check=True)
    (found,) = json.loads(report.read_text())["files"].values()
    arcs = frozenset((a, b) for a, b in found["executed_branches"])
    return frozenset(found["executed_lines"]), arcs
