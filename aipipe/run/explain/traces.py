"""What a failing program's output says: its errors, the places that they name, the tests.

Read are Python tracebacks, pytest's own, and ``path:line: message`` as compilers and linters
print it. Places outside the repository are dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_PLACES = 200
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_FRAME = re.compile(r'^\s*(?:\|\s*)*File "([^"\n]+)", line (\d+)(?:, in (.+))?$')
_AT = re.compile(r"^([^\s:'\"()]+\.\w+):(\d+)(?::\d+)?:?(?: (.*))?$")
_ERROR = re.compile(
    r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Failed)\b.*"
)
_PYTEST_ERROR = re.compile(r"^E {1,3}(\S.*)$")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py(?:::.+?)?)(?: - (.*))?$")
_ORDINARY = re.compile(
    r"^(?:error|fatal|\S+: error|make: \*\*\*|npm ERR!|ERROR)\b.*|.*: (?:command )?not found$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file of the repository; ``depth`` counts from the one nearest to the error."""

    path: str
    line: int
    function: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """What the output told: the errors' own words, the places, the failed tests."""

    errors: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    tests: tuple[str, ...] = ()


def read_trace(text: str, top: Path, directory: str = "") -> Trace:
    """Return what ``text`` says; relative paths start at ``directory`` below ``top``."""
    lines = [_ANSI.sub("", line.rstrip("\r")) for line in text.split("\n")]
    finder = _Finder(top, directory)
    errors = list(dict.fromkeys(_errors(lines)))
    tests = [match[1] for line in lines if (match := _FAILED.match(line))]
    return Trace(
        tuple(errors[-20:]),
        tuple(finder.places(lines)),
        tuple(dict.fromkeys(tests)),
    )


def _errors(lines: list[str]) -> Iterator[str]:
    """Yield the errors' words: Python's and pytest's where there are any, else what looks it."""
    found = [_error_in(line) for line in lines]
    if any(found):
        yield from (words for words in found if words)
        return
    yield from (line.strip() for line in lines if _ORDINARY.match(line.strip()))


def _error_in(line: str) -> str:
    match = _PYTEST_ERROR.match(line)
    if match and not match[1].startswith(("+", "-", "?", "assert ", "where ")):
        return match[1].strip()
    bare = line.lstrip(" |")
    return bare.strip() if _ERROR.match(bare) and bare == line.lstrip("| ") else ""


class _Finder:
    """Finds the files of the repository that an output names."""

    def __init__(self, top: Path, directory: str) -> None:
        self.top = top.resolve()
        self.start = self.top / directory
        self.known: dict[str, str] = {}

    def places(self, lines: list[str]) -> list[Place]:
        """Return the places, the ones nearest to an error first, without repetition."""
        groups: list[list[Place]] = [[]]
        for line in lines:
            place = self._place(line)
            if place:
                groups[-1].append(place)
            elif line.startswith(("Traceback (", "____", "====")) and groups[-1]:
                groups.append([])
        ranked: dict[tuple[str, int], Place] = {}
        for group in groups:
            for depth, place in enumerate(reversed(group)):
                at = (place.path, place.line)
                if at not in ranked or ranked[at].depth > depth:
                    ranked[at] = Place(place.path, place.line, place.function, depth)
        return sorted(ranked.values(), key=lambda place: place.depth)[:MOST_PLACES]

    def _place(self, line: str) -> Place | None:
        frame = _FRAME.match(line)
        match = frame or _AT.match(line)
        if not match:
            return None
        path = self._relative(match[1])
        function = (match[3] or "") if frame else ""
        return Place(path, int(match[2]), function) if path else None

    def _relative(self, name: str) -> str:
        if name not in self.known:
            self.known[name] = self._look(name)
        return self.known[name]

    def _look(self, name: str) -> str:
        try:
            path = (self.start / name).resolve()
            if not path.is_file() or not path.is_relative_to(self.top):
                return ""
        except (OSError, ValueError):
            return ""
        inside = path.relative_to(self.top)
        if inside.parts[0] in (".aipipe", ".venv", "venv", "node_modules"):
            return ""
        return "" if "site-packages" in inside.parts else inside.as_posix()
