"""Why a gap stays open: the nearest guard that was reached, and what it was given."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_aipipe.generate.request import OpenGap

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def note(self, gap: Gap, outcome: Outcome) -> None:
        """Keep what one outcome showed while ``gap`` was worked on."""
        key = (gap.path, gap.symbol)
        self._tried[key] += outcome.tries
        for path, lines in outcome.lines.items():
            self._ran[path] |= lines
        for one in outcome.comparisons:
            self._seen[one.path, one.line] = one
        if outcome.status == "raised" and outcome.raised:
            self._errors[key] = outcome.raised

    def note_rejection(self, gap: Gap, reason: str) -> None:
        """Keep why a test that reached the gap was not admitted."""
        self._rejected[gap.path, gap.symbol] = reason

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
                why += f"; most often it ended in {error[:120]}"
            return OpenGap(
                gap, why + ".", f"Add a test or a fixture that builds what {gap.symbol} needs."
            )
        return self._explain_guard(gap, guard, tried)

    def _explain_guard(self, gap: Gap, line: int, tried: int) -> OpenGap:
        text = self._text(gap.path, line)
        seen = self._seen.get((gap.path, line))
        if seen is None:
            why = f"The condition at line {line} ({text}) never went that way in {tried} tries."
            return OpenGap(gap, why, f"Write a test in which line {line} goes the other way.")
        outcome = "true" if seen.taken else "false"
        operands = f"{_short(seen.left)} {seen.op} {_short(seen.right)}"
        if seen.op == "truth":
            operands = _short(seen.left)
        why = (
            f"The guard at line {line} ({text}) was reached; "
            f"{operands} stayed {outcome} in {tried} tries."
        )
        want = "false" if seen.taken else "true"
        return OpenGap(
            gap, why, f"Write a test in which {operands.strip()} is {want} at line {line}."
        )

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
        return max(around, default=min(starts, default=None))

    def _text(self, path: str, line: int) -> str:
        lines = self._lines.get(path, [])
        text = lines[line - 1].strip().rstrip(":") if 0 < line <= len(lines) else ""
        return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _short(code: str | None) -> str:
    if code is None:
        return "<object>"
    return code if len(code) <= MAX_SHOWN else code[: MAX_SHOWN - 3] + "..."


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None
