"""What sorts of value a setting can have, and how each is read from a file or from text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

ON = ("on", "true", "yes", "1")
OFF = ("off", "false", "no", "0")


class Wrong(ValueError):  # noqa: N818 - reads as the sentence "raise Wrong('is not a number')"
    """The value is not of this kind; the message goes on after the key's name."""


class ValueKind(Protocol):
    """One sort of value."""

    @property
    def label(self) -> str:
        """What a user should write, in words."""
        ...

    def read(self, value: object) -> object:
        """Return the checked value. Text is accepted too: the environment has nothing else."""
        ...


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."  # noqa: PLR2004 - one line stays one


@dataclass(frozen=True, slots=True)
class Text:
    """A string, perhaps one of ``choices``."""

    choices: tuple[str, ...] = ()
    what: str = "text"

    @property
    def label(self) -> str:
        """See :class:`ValueKind`."""
        return " | ".join(self.choices) or self.what

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        if not isinstance(value, str):
            raise Wrong(f"must be {self.what}, not {_shown(value)}")
        if self.choices and value not in self.choices:
            raise Wrong(f"must be one of {', '.join(self.choices)}, not {_shown(value)}")
        return value


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of strings, perhaps of ``choices`` only; in text, separated by commas."""

    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """See :class:`ValueKind`."""
        return f"list of {' | '.join(self.choices) or 'text'}"

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")] if value.strip() else []
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise Wrong(f"must be a list of text, not {_shown(value)}")
        for item in value:
            if not item or (self.choices and item not in self.choices):
                known = f", only {', '.join(self.choices)}" if self.choices else ""
                raise Wrong(f"cannot hold {_shown(item)}{known}")
        return tuple(value)


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds; ``whole`` ones have no fraction."""

    least: float = -math.inf
    most: float = math.inf
    whole: bool = False

    @property
    def label(self) -> str:
        """See :class:`ValueKind`."""
        sort = "whole number" if self.whole else "number"
        if math.isfinite(self.most):
            return f"{sort} from {self.least:g} to {self.most:g}"
        return f"{sort} of at least {self.least:g}" if math.isfinite(self.least) else sort

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise Wrong(f"must be a {self.label}, not {_shown(value)}")
        try:
            number = int(value) if self.whole and isinstance(value, str) else float(value)
        except (ValueError, OverflowError):
            raise Wrong(f"must be a {self.label}, not {_shown(value)}") from None
        fits = math.isfinite(number) and self.least <= number <= self.most
        if not fits or (self.whole and number != int(number)):
            raise Wrong(f"must be a {self.label}, not {_shown(value)}")
        return int(number) if self.whole else number


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    @property
    def label(self) -> str:
        """See :class:`ValueKind`."""
        return "true | false"

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in (*ON, *OFF):
            return value.strip().lower() in ON
        raise Wrong(f"must be true or false, not {_shown(value)}")


@dataclass(frozen=True, slots=True)
class SwitchOrText:
    """Off, on, or on with a value such as a folder."""

    what: str

    @property
    def label(self) -> str:
        """See :class:`ValueKind`."""
        return f"true | false | {self.what}"

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or not value.strip():
            raise Wrong(f"must be true, false or {self.what}, not {_shown(value)}")
        word = value.strip().lower()
        return word in ON if word in (*ON, *OFF) else value
