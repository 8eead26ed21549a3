"""Why a gap stays open: the nearest guard that was reached, and what it was given."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.generate.request import OpenGap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_aipipe.generate.model import Comparison, Gap, Outcome

MAX_SHOWN = 60


class Evidence:
    """What the outcomes said of the guards and of the errors on the way to each gap."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._lines = {path: text.splitlines() for path, text in sources.items()}
        self._trees = {path: _parsed(text) for path, text in sources.items()}
        self._seen: dict[tuple[str, int], Comparison] = {}
        self._ran: dict[str, set[int]] = defaultdict(set)
        self._errors: dict[tuple[str, str], str] = {}
        self._tried: dict[tuple[str, str], int] = defaultdict(int)
        self._rejected: dict[tuple[str, str], str] = {}
        self._ways: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        self._imports: dict[str, str] = {}

    def note(self, gap: Gap, outcome: Outcome, technique: str = "") -> None:
        """Keep what one outcome of ``technique`` showed while ``gap`` was worked on."""
        key = (gap.path, gap.symbol)
        self._tried[key] += outcome.tries
        if technique:
            ways = self._ways[key]
            ways[technique] = ways.get(technique, 0) + outcome.tries
        for path, lines in outcome.lines.items():
            self._ran[path] |= lines
        for one in outcome.comparisons:
            self._seen[one.path, one.line] = one
        if outcome.status == "raised" and outcome.raised:
            self._errors[key] = outcome.raised

    def note_rejection(self, gap: Gap, reason: str) -> None:
        """Keep why a test that reached the gap was not admitted."""
        self._rejected[gap.path, gap.symbol] = reason

    def note_import(self, problem: str) -> None:
        """Keep why a module could not be imported: its name, a colon, the error."""
        module, _, error = problem.partition(": ")
        self._imports[module] = error.strip().partition("\n")[0]

    def explain(self, gap: Gap) -> OpenGap:
        """Return the gap with the reason that it stays, and what a person could do."""
        key = (gap.path, gap.symbol)
        tried = self._tried[key]
        rejected = self._rejected.get(key)
        if rejected:
            return OpenGap(
                gap,
                f"It was reached, but the test was not admitted: {rejected}",
                "Write it by hand, or make the result independent of its surroundings.",
            )
        if not tried and gap.module in self._imports:
            return _not_imported(gap, self._imports[gap.module])
        if not tried:
            return OpenGap(
                gap,
                "Nothing was tried: the budget was spent, or no engine had an idea.",
                "Give more time with --ai-budget.",
            )
        guard = self._nearest_guard(gap)
        if guard is None:
            ran = self._ran.get(gap.path, set())
            error = self._errors.get(key)
            why = f"{gap.symbol} was not entered in {tried} tries"
            if ran & gap.lines or any(start in ran for start, _ in gap.branches):
                why = f"Part of {gap.symbol} ran in {tried} tries, but not this"
            if error:
                why += f"; the last error was {error[:120]}"
            return OpenGap(
                gap,
                f"{why}.{self._how(key)}",
                f"Add a test or a fixture that builds what {gap.symbol} needs.",
            )
        return self._explain_guard(gap, guard, tried)

    def _how(self, key: tuple[str, str]) -> str:
        """Say what was tried, most of all first."""
        ways = sorted(self._ways[key].items(), key=lambda one: (-one[1], one[0]))
        told = ", ".join(f"{name} {count}" for name, count in ways[:4])
        return f" Tried: {told}." if told else ""

    def _explain_handler(self, gap: Gap, node: ast.Try, tried: int) -> OpenGap | None:
        """Explain a gap in an ``except`` clause: what is caught, and from which calls."""
        first = min([*gap.lines, *(start for start, _ in gap.branches)])
        for handler in node.handlers:
            if not handler.lineno <= first <= (handler.end_lineno or 0):
                continue
            caught = ast.unparse(handler.type) if handler.type is not None else "anything"
            calls = [one for part in node.body for one in ast.walk(part)
                     if isinstance(one, ast.Call)]  # fmt: skip
            inside = _short(ast.unparse(calls[0].func)) + "()" if calls else "the code"
            why = (
                f"The try at line {node.lineno} ran, but nothing in it raised {caught} "
                f"in {tried} tries.{self._how((gap.path, gap.symbol))}"
            )
            return OpenGap(
                gap,
                why,
                f"Write a test in which {inside} within lines {node.body[0].lineno} to "
                f"{node.body[-1].end_lineno} raises {caught}: by its input, or by monkeypatch.",
            )
        return None

    def _explain_guard(self, gap: Gap, line: int, tried: int) -> OpenGap:
        node = self._statement(gap.path, line)
        if isinstance(node, ast.Try):
            told = self._explain_handler(gap, node, tried)
            if told is not None:
                return told
        text = self._text(gap.path, line)
        how = self._how((gap.path, gap.symbol))
        test = node.test if isinstance(node, ast.If | ast.While) else None
        asked = _short(ast.unparse(test)) if test is not None else text
        seen = self._seen.get((gap.path, line))
        if seen is None:
            why = (
                f"The condition at line {line} ({text}) never went that way in {tried} tries.{how}"
            )
            return OpenGap(
                gap, why, f"Write a test in which `{asked}` at line {line} goes the other way."
            )
        outcome = "true" if seen.taken else "false"
        operands = _short(seen.left)
        if seen.op != "truth":
            operands = f"{operands} {seen.op} {_short(seen.right)}"
        why = (
            f"The guard at line {line} ({text}) was reached; the last of {tried} tries "
            f"compared {operands}, which was {outcome}.{how}"
        )
        want = "false" if seen.taken else "true"
        part = (
            ""
            if test is None or isinstance(test, ast.Compare | ast.Name | ast.Call)
            else "a part of "
        )
        return OpenGap(
            gap,
            why,
            f"Write a test in which {part}`{asked}` at line {line} is {want}; "
            f"for {operands} it was not.",
        )

    def _statement(self, path: str, line: int) -> ast.stmt | None:
        tree = self._trees.get(path)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.stmt) and node.lineno == line:
                return node
        return None

    def _nearest_guard(self, gap: Gap) -> int | None:
        """Return the innermost condition around the gap that ran."""
        ran = self._ran.get(gap.path, set())
        targets = sorted(gap.lines) or sorted(start for start, _ in gap.branches)
        starts = {start for start, _ in gap.branches} & ran
        if starts and not gap.lines:
            return min(starts)
        tree = self._trees.get(gap.path)
        if tree is None or not targets:
            return None
        first = targets[0]
        around = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.If | ast.While | ast.For | ast.Try | ast.Match)
            and node.lineno < first <= (node.end_lineno or 0)
            and node.lineno in ran
        ]
        around += [node.lineno for node in _leaving_before(tree, first) if node.lineno in ran]
        return max(around, default=min(starts, default=None))

    def _text(self, path: str, line: int) -> str:
        lines = self._lines.get(path, [])
        text = lines[line - 1].strip().rstrip(":") if 0 < line <= len(lines) else ""
        return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _leaving_before(tree: ast.Module, line: int) -> Iterator[ast.If]:
    """Yield the conditions before ``line``, in its block or one around, that lead past it."""
    for node in ast.walk(tree):
        for _, block in ast.iter_fields(node):
            stands = isinstance(block, list) and all(isinstance(one, ast.stmt) for one in block)
            if not stands or not block:
                continue
            if not block[0].lineno <= line <= (block[-1].end_lineno or 0):
                continue
            for one in block:
                if isinstance(one, ast.If) and (one.end_lineno or 0) < line and _leaves(one):
                    yield one


def _leaves(node: ast.If) -> bool:
    return isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _not_imported(gap: Gap, error: str) -> OpenGap:
    why = f"{gap.module} cannot be imported where pytest runs: {error[:120]}"
    path = PurePosixPath(gap.path)
    folder = path.parents[gap.module.count(".") + (path.name == "__init__.py")]
    first = gap.module.partition(".")[0]
    if folder.name and error.endswith(f"No module named '{first}'"):
        told = f'Put its folder on the path: pythonpath = ["{folder}"] in pytest\'s settings.'
        return OpenGap(gap, why, told)
    return OpenGap(gap, why, f"Make `import {gap.module}` work where pytest runs.")


def _short(code: str | None) -> str:
    if code is None:
        return "<object>"
    return code if len(code) <= MAX_SHOWN else code[: MAX_SHOWN - 3] + "..."


def _parsed(text: str) -> ast.Module | None:
    try:
        return syntax.parse(text)
    except (SyntaxError, ValueError):
        return None
