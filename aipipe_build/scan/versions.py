"""Versions of an ecosystem, in the order that it gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.scan.debian import DebianVersion

if TYPE_CHECKING:
    from collections.abc import Callable


class VersionError(ValueError):
    """A version that its ecosystem cannot order."""


def reader_for(ecosystem: str) -> Callable[[str], Any]:
    """Return what reads a version of ``ecosystem``; its values can be compared.

    What it returns raises :class:`VersionError` for what is no version there.
    """
    return _pypi if ecosystem == "PyPI" else _debian


def _pypi(text: str) -> Any:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion as error:
        raise VersionError(f"{text!r} is no version that PEP 440 knows") from error


def _debian(text: str) -> Any:
    try:
        return DebianVersion(text)
    except ValueError as error:
        raise VersionError(str(error)) from error
