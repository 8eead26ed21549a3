"""Sorts of value that only a release's configuration has; the others are the core's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aipipe_core.config.kinds import Wrong

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIZE = re.compile(r"[1-9][0-9]{0,14}[bkmg]")
_VOLUME = re.compile(r"(/|[A-Za-z0-9])[^:,\s]*:/[^:,\s]*(:ro)?")


def is_name(text: str) -> bool:
    """Tell whether ``text`` can name a service in Docker, in HAProxy and in a file name."""
    return bool(_NAME.fullmatch(text))


@dataclass(frozen=True, slots=True)
class Name:
    """A lower-case name; ``empty`` allows none at all."""

    empty: bool = False

    @property
    def label(self) -> str:
        """See the core's ``ValueKind``."""
        return "a name of lower-case letters, digits and dashes"

    def read(self, value: object) -> object:
        """See the core's ``ValueKind``."""
        if isinstance(value, str) and (is_name(value) or (self.empty and not value)):
            return value
        raise Wrong(f"must be {self.label} (at most 31), not {value!r}")


@dataclass(frozen=True, slots=True)
class Environment:
    """A table of variables with text values; numbers and switches are written out."""

    label: str = "table of text"

    def read(self, value: object) -> object:
        """See the core's ``ValueKind``."""
        if not isinstance(value, dict):
            raise Wrong(f"must be a {self.label}")
        found: list[tuple[str, str]] = []
        for name, item in value.items():
            if not _VARIABLE.fullmatch(name):
                raise Wrong(f"cannot hold a variable named {name!r}")
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                raise Wrong(f"must hold text for {name}")
            found.append((name, str(item)))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Size:
    """An amount of memory as Docker writes it, such as ``512m`` or ``2g``; "" is none."""

    label: str = "an amount of memory such as 512m or 2g"

    def read(self, value: object) -> object:
        """See the core's ``ValueKind``."""
        if isinstance(value, str) and (_SIZE.fullmatch(value.lower()) or not value):
            return value.lower()
        raise Wrong(f"must be {self.label}, not {value!r}")


@dataclass(frozen=True, slots=True)
class Volumes:
    """``NAME:/path`` or ``/host/path:/path``, perhaps with ``:ro``."""

    label: str = "list of SOURCE:/path[:ro]"

    def read(self, value: object) -> object:
        """See the core's ``ValueKind``."""
        if not isinstance(value, list):
            raise Wrong(f"must be a {self.label}")
        for item in value:
            if not isinstance(item, str) or not _VOLUME.fullmatch(item):
                raise Wrong(f"cannot hold {item!r}; write SOURCE:/path or SOURCE:/path:ro")
        return tuple(value)


@dataclass(frozen=True, slots=True)
class Words:
    """A command as a list of words; text is split at blanks, as a shell would."""

    label: str = "command"

    def read(self, value: object) -> object:
        """See the core's ``ValueKind``."""
        if isinstance(value, str):
            import shlex

            try:
                return tuple(shlex.split(value))
            except ValueError as error:
                raise Wrong(f"cannot be split into words: {error}") from error
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
        raise Wrong("must be a command: text, or a list of words")


@dataclass(frozen=True, slots=True)
class Percentages:
    """Rising percentages between 0 and 100."""

    label: str = "rising list of percentages"

    def read(self, value: object) -> object:
        """See the core's ``ValueKind``."""
        numbers = value if isinstance(value, list) else []
        fine = [
            n for n in numbers if not isinstance(n, bool) and isinstance(n, int | float)
            and 0 < n < 100  # noqa: PLR2004 - per cent
        ]  # fmt: skip
        if not numbers or len(fine) != len(numbers) or sorted(set(fine)) != fine:
            raise Wrong(f"must be a {self.label} above 0 and below 100, not {value!r}")
        return tuple(float(n) for n in fine)
