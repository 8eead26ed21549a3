"""Patterns of ``.dockerignore``: the semantics of moby's ``MatchesOrParentMatches``.

The last pattern that matches decides; a pattern that matches a directory matches all that is
below it; ``!`` brings back what an earlier pattern hid, even below a hidden directory.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.text import trim
from aipipe_build.light import light
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ESCAPED = frozenset(".+()|{}$")
_SPECIAL = re.compile(r"[*?\[\]\\^]")


class IgnoreError(RequestError):
    """A pattern that cannot be read."""

    def __init__(self, what: str) -> None:
        super().__init__("dockerignore-malformed", what, hint="Mend the pattern or remove it.")


@light(frozen=True)
class Pattern:
    """One pattern; ``exclusion`` is the ``!`` form."""

    text: str
    exclusion: bool
    matches: Callable[[str], bool]

    @property
    def prefix(self) -> str | None:
        """The literal folder that every match begins with, None where there is a wildcard."""
        literal = self.text.removesuffix("/**") if self.text != "**" else ""
        return None if any(char in "*[]?^\\" for char in literal) else literal


class PatternMatcher:
    """Several patterns together. Raises :class:`IgnoreError` for a bad one."""

    def __init__(self, patterns: Sequence[str]) -> None:
        compiled = (_compile(trim(text)) for text in patterns if trim(text))
        self.patterns = tuple(compiled)
        self.has_exclusions = any(pattern.exclusion for pattern in self.patterns)
        self.simple: Callable[[str], bool] | None = None
        """The whole verdict on a path, where no pattern brings anything back."""
        if not self.has_exclusions:
            self.simple = _any_of([pattern.text for pattern in self.patterns])

    def with_parent(
        self, path: str, parent: Sequence[bool] | None
    ) -> tuple[bool, Sequence[bool] | None]:
        """Match ``path``, given what its parent directory matched (None: it has no parent).

        Returns the verdict and what to hand to the children.
        """
        if self.simple:
            # Without exclusions a hidden directory hides everything, so nobody asks below it.
            return self.simple(path), None
        matched = False
        info = [False] * len(self.patterns)
        for index, pattern in enumerate(self.patterns):
            hit = parent[index] if parent else False
            if not hit:
                if pattern.exclusion != matched:
                    continue
                hit = pattern.matches(path)
            info[index] = hit
            if hit:
                matched = not pattern.exclusion
        return matched, info

    def matches(self, path: str) -> bool:
        """Match ``path`` and its parents, as for a path that stands alone."""
        info: Sequence[bool] | None = None
        hidden = False
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            hidden, info = self.with_parent("/".join(parts[:depth]), info)
            if hidden and self.simple:
                return True
        return hidden

    def may_bring_back(self, directory: str) -> bool:
        """Tell whether a ``!`` pattern may match below a hidden ``directory``."""
        if not self.has_exclusions:
            return False
        below = directory + "/"
        prefixes = [pattern.prefix for pattern in self.patterns if pattern.exclusion]
        # One wildcard among the exceptions, and every hidden directory is looked into.
        if any(prefix is None for prefix in prefixes):
            return True
        return any(f"{prefix}/".startswith(below) for prefix in prefixes)


def read_ignore_file(data: bytes) -> list[str]:
    """Return the patterns of a ``.dockerignore``: BOM, comments and blanks dropped, cleaned."""
    text = data.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    patterns: list[str] = []
    for raw in text.split("\n"):
        line = raw.removesuffix("\r")
        if line.startswith("#"):
            continue
        pattern = trim(line)
        if not pattern:
            continue
        inverted = pattern.startswith("!")
        if inverted:
            pattern = trim(pattern[1:])
        if pattern:
            pattern = clean(pattern)
            if len(pattern) > 1 and pattern.startswith("/"):
                pattern = pattern[1:]
        patterns.append("!" + pattern if inverted else pattern)
    return patterns


def clean(path: str) -> str:
    """Return the shortest equal path, as Go's ``filepath.Clean`` (one leading slash at most)."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def _compile(text: str) -> Pattern:
    pattern = clean(text)
    exclusion = pattern.startswith("!")
    if exclusion:
        pattern = pattern[1:]
        if not pattern:
            raise IgnoreError('illegal exclusion pattern "!"')
    check_glob(pattern)
    return Pattern(pattern, exclusion, _matcher(pattern))


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Choose the cheapest test that a pattern allows; moby's choice, quirks included."""
    kind, regex = _translate(pattern)
    if kind == "exact":
        return pattern.__eq__
    if kind == "prefix":
        start = pattern[:-2]
        return lambda path: path.startswith(start)
    if kind == "suffix":
        suffix = pattern[2:]
        bare = suffix[1:] if suffix.startswith("/") else None
        return lambda path: path.endswith(suffix) or path == bare
    try:
        return _searcher(regex)
    except re.error as error:
        raise IgnoreError(f"the pattern {pattern!r} cannot be read: {error}") from error


def _searcher(regex: str) -> Callable[[str], bool]:
    search = re.compile(regex).search
    return lambda path: search(path) is not None


def _translate(pattern: str) -> tuple[str, str]:
    out, kind, at, index = ["^"], "exact", 0, 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*" and pattern[at : at + 1] == "*":
            at += 1
            if pattern[at : at + 1] == "/":
                at += 1
            if at == len(pattern):
                out.append(".*")
                kind = "prefix" if kind == "exact" else "regex"
            else:
                out.append("(.*/)?")
                kind = "regex"
            if index == 0:
                kind = "suffix"
        elif char in "*?":
            out.append("[^/]*" if char == "*" else "[^/]")
            kind = "regex"
        elif char in _ESCAPED:
            out.append("\\" + char)
        elif char == "\\":
            following = pattern[at : at + 1]
            out.append("\\" + following if following else "\\\\")
            kind = "regex" if following else kind
            at += 1
        else:
            out.append(char)
            kind = "regex" if char in "[]" else kind
        index += 1
    return kind, "".join(out) + r"\Z"


def _any_of(patterns: list[str]) -> Callable[[str], bool]:
    """Join patterns without exceptions into as few tests as possible: they run for every file."""
    exact: set[str] = set()
    starts: list[str] = []
    ends: list[str] = []
    regexes: list[str] = []
    tails: list[str] = []
    for pattern in patterns:
        kind, regex = _translate(pattern)
        if kind == "exact":
            exact.add(pattern)
        elif kind == "prefix":
            starts.append(pattern[:-2])
        elif kind == "suffix":
            ends.append(pattern[2:])
            exact.add(pattern[3:] if pattern[2:3] == "/" else pattern[2:])
        else:
            regexes.append(f"(?:{regex})")
            tails.append(_SPECIAL.split(pattern)[-1])
    search = re.compile("|".join(regexes)).search if regexes else lambda _: None
    # What every match of an expression ends with spares most files the expression.
    prefixes, suffixes, endings = tuple(starts), tuple(ends), tuple(tails)
    return lambda path: (
        path in exact
        or path.startswith(prefixes)
        or path.endswith(suffixes)
        or (path.endswith(endings) and search(path) is not None)
    )


def check_glob(pattern: str) -> None:
    """Raise :class:`IgnoreError` for what Go's ``filepath.Match`` calls a bad pattern."""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            if at == len(pattern):
                raise IgnoreError(f"syntax error in pattern {pattern!r}: it ends with an escape")
            at += 1
        elif char == "[":
            end = _class_end(pattern, at)
            if end < 0:
                raise IgnoreError(f"syntax error in pattern {pattern!r}: [ without ]")
            at = end


def _class_end(pattern: str, at: int) -> int:
    """Return where a character class that began before ``at`` ends, -1 where it does not."""
    if pattern[at : at + 1] == "^":
        at += 1
    first = at
    while at < len(pattern):
        if pattern[at] == "]" and at > first:
            return at + 1
        at += 2 if pattern[at] == "\\" else 1
    return -1
