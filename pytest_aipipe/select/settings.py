"""Whether two versions of a settings file can make a difference to a test run."""

from __future__ import annotations

import configparser
from pathlib import PurePosixPath

from aipipe_core.change.said import READ, VERSION, said


def differ(path: str, old: bytes | None, new: bytes | None) -> bool:
    """Return whether a test run could notice that ``old`` became ``new``; True where in doubt.

    What belongs to formatters, linters, type checkers and packagers does not count. Neither
    does the project's version: it is installed or not, and the map is kept apart by what is.
    """
    if old is None or new is None:
        return True
    name = PurePosixPath(path).name.lower()
    try:
        before, after = old.decode("utf-8"), new.decode("utf-8")
        if name in READ:
            return bool(said(name, before, but=VERSION) != said(name, after, but=VERSION))
        if name.endswith(".ini"):
            return _sections(before) != _sections(after)
    except (ValueError, configparser.Error):
        return True
    return True


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}
