"""The change as a reviewer reads it: each line with what the tests do to it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_core.change.git import run
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$")
_MOST_LINES = 3_000
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Line:
    """``mark`` is ``context``, ``removed``, ``covered``, ``new``, ``uncovered`` or ``plain``.

    ``new`` ran in no test before and runs in one that was written for the change. ``tests``
    are the numbers, on the page, of those that were written for the line: to run it, or to
    notice a fault in it.
    """

    number: int | None
    text: str
    mark: str
    tests: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that stand together; ``heading`` is what git says of the place."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A changed file. ``left_out`` lines were too many to show.

    ``measured`` says whether tests can run it; ``counts`` are its lines by mark, with all that
    were ``added`` and ``removed``.
    """

    path: str
    hunks: tuple[Hunk, ...]
    counts: dict[str, int]
    left_out: int = 0
    measured: bool = True


def files_of(root: Path, tests: dict[str, Any]) -> list[File]:
    """Return the changed files of a ``tests.json``, or none where git cannot tell them any more.

    What tests can run comes first: a reviewer looks for what they do not.
    """
    ends = [tests["base"]]
    if tests["head"] not in {"worktree", "staged"}:
        ends.append(tests["head"])
    found = []
    for changed in tests["change"]["files"]:
        path = changed["path"]
        try:
            text = run(
                root, "diff", "--no-color", "--no-ext-diff", "-U3", "-M", *ends, "--", path
            ).text
        except AipipeError:
            continue
        text = text or _untracked(root / path, tests["head"])
        if text:
            marks = _Marks.of(path, changed, tests, idle=_docstrings(root / path))
            measured = path in tests["coverage"]["files"]
            found.append(_file(path, text, marks, measured=measured))
    return sorted(found, key=lambda file: not file.measured)


def _untracked(path: Path, head: str) -> str:
    """Return a file that git does not know yet as a diff of nothing but added lines."""
    if head != "worktree" or path.is_symlink() or not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8", errors="backslashreplace").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    return "\n".join([f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)])


def _docstrings(path: Path) -> frozenset[int]:
    """Return the lines of texts that stand alone: no test can run them."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return frozenset()
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Marks:
    changed: frozenset[int]
    missing: frozenset[int]
    reached: dict[int, tuple[int, ...]]
    new: frozenset[int]
    idle: frozenset[int]

    @classmethod
    def of(
        cls, path: str, changed: dict[str, Any], tests: dict[str, Any], *, idle: frozenset[int]
    ) -> _Marks:
        left = tests["coverage"]["files"].get(path, {"missing": []})
        reached: dict[int, list[int]] = {}
        new: set[int] = set()
        admitted = [test for test in tests["tests"] if test["status"] == "admitted"]
        for number, test in enumerate(admitted, 1):
            for target in test["targets"]:
                if target["path"] != path:
                    continue
                new.update(target.get("new_lines", target["lines"]))
                for line in target["lines"]:
                    reached.setdefault(line, []).append(number)
        return cls(
            frozenset(changed["changed_lines"]),
            frozenset(left["missing"]),
            {line: tuple(numbers) for line, numbers in reached.items()},
            frozenset(new),
            idle,
        )

    def line(self, number: int, text: str, *, measured: bool) -> Line:
        """Return an added line with its mark."""
        if number in self.missing:
            return Line(number, text, "uncovered")
        if number in self.reached:
            mark = "new" if number in self.new else "covered"
            return Line(number, text, mark, self.reached[number])
        stripped = text.strip()
        idle = not stripped or stripped.startswith("#") or number in self.idle
        idle = idle or number not in self.changed
        return Line(number, text, "plain" if idle or not measured else "covered")


def _file(path: str, text: str, marks: _Marks, *, measured: bool) -> File:
    hunks: list[Hunk] = []
    shown = left_out = 0
    counts = {"covered": 0, "new": 0, "uncovered": 0, "added": 0, "removed": 0}
    for heading, lines in _hunks(text, marks, measured=measured):
        for line in lines:
            if line.mark != "context":
                counts["removed" if line.number is None else "added"] += 1
            if line.mark in ("covered", "new", "uncovered"):
                counts[line.mark] += 1
        if shown + len(lines) > _MOST_LINES:
            left_out += len(lines)
            continue
        shown += len(lines)
        hunks.append(Hunk(heading, tuple(lines)))
    return File(path, tuple(hunks), counts, left_out, measured)


def _hunks(text: str, marks: _Marks, *, measured: bool) -> Iterator[tuple[str, list[Line]]]:
    heading, number, began = "", 0, False
    lines: list[Line] = []
    for raw in text.split("\n"):
        start = _HUNK.match(raw)
        if start:
            if began:
                yield heading, lines
            began, heading, lines, number = True, start[3], [], int(start[2])
        elif began and raw:
            number = _add(lines, raw, number, marks, measured=measured)
    if began:
        yield heading, lines


def _add(lines: list[Line], raw: str, number: int, marks: _Marks, *, measured: bool) -> int:
    """Add one line of the diff; return the number of the next line of the new side."""
    kind, text = raw[0], raw[1:].rstrip("\r")
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    if kind == "-":
        lines.append(Line(None, text, "removed"))
        return number
    if kind == "+":
        lines.append(marks.line(number, text, measured=measured))
        return number + 1
    if kind == " ":
        lines.append(Line(number, text, "context"))
        return number + 1
    return number
