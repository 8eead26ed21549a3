"""Errors that say what, where and what next, and the exit codes they end in.

Every expected failure is an :class:`AipipeError` with a stable ``slug`` that
``docs/errors.md`` explains. The exit codes are those of the contract's commands;
pytest keeps its own.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command of ours ends with."""

    DONE = 0
    NO = 1
    """The answer is no: a gate is closed, a release was rolled back, a scan blocked."""
    WRONG_REQUEST = 2
    SURROUNDINGS = 3
    """What we stand on failed: no engine, no network, no permission."""
    DEFECT = 70
    """A defect of ours; a report to paste was written."""
    INTERRUPTED = 130


class AipipeError(Exception):
    """An expected failure: one line that says what, where and what to do next.

    ``slug`` names the failure for documentation and scripts and never changes.
    """

    exit_code: ExitCode = ExitCode.WRONG_REQUEST

    def __init__(self, slug: str, what: str, *, where: str = "", hint: str = "") -> None:
        self.slug = slug
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        said = f"{self.what}{where}"
        end = "" if said.endswith((".", "?", "!")) else "."  # words of another program may end so
        return f"{said}{end}{hint} [{self.slug}]"


class RequestError(AipipeError):
    """The request is wrong: an option, a file or a revision that cannot be used."""


class SurroundingsError(AipipeError):
    """What we stand on failed: git, an engine, the network, a permission."""

    exit_code = ExitCode.SURROUNDINGS
