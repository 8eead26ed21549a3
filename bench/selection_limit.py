"""What a change could concern at best, told without the selection that is measured.

Only the text of the two versions, git's own diff, and the lines that a coverage.py of the
bench's own saw each test run.
"""

from __future__ import annotations

import ast
import re
import subprocess
from typing import TYPE_CHECKING, Any

from pytest_aipipe.mutate.make import survey

if TYPE_CHECKING:
    from pathlib import Path

Case = dict[str, Any]


def limit(seen: Any, tree: Path, lines: dict[str, set[int]], *, guard: bool = False) -> set[str]:
    """Return the tests that ran a line of ``lines``, or (``guard``) what stands in front of it."""
    wanted = {}
    for file, numbers in lines.items():
        text = (tree / file).read_text("utf-8") if (tree / file).exists() else ""
        wanted[str(tree / file)] = guards(text, numbers) if guard else numbers
    return {
        nodeid
        for nodeid, ran in seen["lines"].items()
        if any(not wanted.get(file, set()).isdisjoint(done) for file, done in ran.items())
    }


def guards(text: str, numbers: set[int]) -> set[int]:
    """Return the statement before each of ``numbers`` in its block, or the header of the block."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set()
    found: set[int] = set()
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody", "handlers"):
            body = getattr(node, name, None)
            if (
                not isinstance(body, list)
                or not body
                or isinstance(node, ast.Module | ast.ClassDef)
            ):
                continue
            run = [one for one in body if not _is_text(one)] or body
            for number in numbers:
                if body[0].lineno <= number <= (body[-1].end_lineno or 0):
                    earlier = [one for one in run if one.lineno < number]
                    if earlier and (earlier[-1].end_lineno or 0) < number:
                        found.add(earlier[-1].lineno)
                    elif len(earlier) > 1:
                        found.add(earlier[-2].lineno)
                    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                        found.add(getattr(node, "lineno", 0))
                    else:
                        found.add(run[0].lineno)
    return found


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring, which no measurement shows."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def pool(tree: Path, case: Case, seen: Any) -> list[tuple[str, Any]]:
    """Return the mutants of the functions that the commit changed, on lines that tests run."""
    found = []
    for file in existing(tree, case):
        text = (tree / file).read_text("utf-8")
        ran = {line for one in seen["lines"].values() for line in one.get(str(tree / file), ())}
        changed = hunks(tree, case["parent"], case["sha"], file)[1]
        lines: set[int] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                if changed & set(span):
                    lines |= set(range(node.body[0].lineno, span.stop))
        mutants = survey(text, frozenset(lines & ran), per_line=3, total=400).mutants
        found += [(file, one) for one in mutants if one.first in ran]
    return found


def existing(tree: Path, case: Case) -> list[str]:
    """Return the case's files that both versions have."""
    return [
        file
        for file in case["files"]
        if (tree / file).exists() and git(tree, "ls-tree", case["parent"], "--", file)
    ]


def changed_files(tree: Path, base: str, head: str) -> list[str]:
    names = git(tree, "diff", "--name-only", "--no-renames", base, head).splitlines()
    return [name for name in names if name.endswith(".py")]


def hunks(tree: Path, base: str, head: str, file: str) -> tuple[set[int], set[int]]:
    """Return the changed lines of both sides; the line before stands for an empty side."""
    text = git(tree, "diff", "-U0", "--no-renames", base, head, "--", file)
    sides: tuple[set[int], set[int]] = (set(), set())
    for match in re.finditer(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", text, re.MULTILINE):
        for side, (start, count) in zip(
            sides, ((match[1], match[2]), (match[3], match[4])), strict=True
        ):
            number = int(count) if count is not None else 1
            side.update(range(int(start), int(start) + number) if number else {int(start)})
    return sides


def git(tree: Path, *args: str) -> str:
    command = ["git", "-C", str(tree), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
