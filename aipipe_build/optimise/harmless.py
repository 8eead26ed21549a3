"""The differences between two images that change nothing of what an image does.

The list is all there is: a difference that no entry covers refuses a rewrite. Times are never
compared; every build has its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GONE, NEW, OTHER = "gone", "new", "other"


@dataclass(frozen=True, slots=True)
class Harmless:
    """Paths (as a regular expression over the whole path), and how they may differ.

    ``asked`` entries hold only for proposals that name them.
    """

    name: str
    why: str
    pattern: re.Pattern[str]
    ways: frozenset[str] = frozenset({GONE, NEW, OTHER})
    asked: bool = False


def _entry(name: str, why: str, pattern: str, *ways: str, asked: bool = False) -> Harmless:
    allowed = frozenset(ways) or frozenset({GONE, NEW, OTHER})
    return Harmless(name, why, re.compile(pattern), allowed, asked)


HARMLESS = (
    _entry(
        "bytecode",
        "Python makes it again from the source beside it",
        r".*/__pycache__(?:/[^/]+\.pyc)?|__pycache__(?:/[^/]+\.pyc)?",
    ),
    _entry(
        "apt-lists",
        "apt fetches its lists again before it installs anything",
        r"var/lib/apt/lists/.+",
    ),
    _entry(
        "apt-cache",
        "apt makes its caches again",
        r"var/cache/apt/(?:archives/.+|(?:src)?pkgcache\.bin)",
    ),
    _entry(
        "pip-cache",
        "pip's downloads, which nothing that runs reads",
        r"(?:root|home/[^/]+)/\.cache(?:/pip(?:/.*)?)?",
    ),
    _entry(
        "npm-cache",
        "npm's downloads and logs, which nothing that runs reads",
        r"(?:root|home/[^/]+)/\.npm(?:/.*)?",
    ),
    _entry(
        "installer-logs",
        "what apt and dpkg wrote down while they installed; it bears the hour",
        r"var/log/(?:apt(?:/(?:history|term|eipp)\.log(?:\.xz)?)?|dpkg\.log|alternatives\.log"
        r"|bootstrap\.log)",
    ),
    _entry(
        "installer-backups",
        "copies that dpkg and debconf keep of their own files",
        r"var/lib/dpkg/(?:status|diversions|statoverride)-old"
        r"|var/cache/debconf/(?:config|templates|passwords)\.dat-old"
        r"|etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-",
    ),
    _entry(
        "linker-cache",
        "ldconfig's notes of file times; the cache that programs read is etc/ld.so.cache",
        r"var/cache/ldconfig(?:/aux-cache)?",
        OTHER,
    ),
    _entry(
        "build-files",
        "files that tell how to build the image and that no program in it reads",
        r"(?:.*/)?(?:(?:[Dd]ockerfile|Containerfile)(?:\.[^/]+)?|\.dockerignore"
        r"|(?:docker-)?compose(?:\.[^/]+)?\.ya?ml)",
        GONE,
        asked=True,
    ),
    _entry(
        "version-control",
        "the repository's own files",
        r"(?:.*/)?(?:\.git(?:/.*)?|\.gitignore|\.gitattributes|\.github(?:/.*)?|\.gitlab-ci\.yml)",
        GONE,
        asked=True,
    ),
    _entry(
        "tool-caches",
        "caches of test runners, linters and editors",
        r"(?:.*/)?(?:\.pytest_cache|\.mypy_cache|\.ruff_cache|\.tox|\.nox|\.coverage|htmlcov"
        r"|\.idea|\.vscode|\.aipipe|\.hypothesis|\.DS_Store)(?:/.*)?",
        GONE,
        asked=True,
    ),
    _entry(
        "local-environment",
        "a virtual environment of the machine that the context lies on",
        r"(?:.*/)?(?:\.venv|venv)(?:/.*)?",
        GONE,
        asked=True,
    ),
)


def covering(path: str, way: str, asked: frozenset[str]) -> str:
    """Return the name of the entry that allows ``path`` to differ so, "" for none."""
    for one in HARMLESS:
        usable = not one.asked or one.name in asked
        if usable and way in one.ways and one.pattern.fullmatch(path):
            return one.name
    return ""


def named(name: str) -> Harmless:
    """Return the entry of that name."""
    return next(one for one in HARMLESS if one.name == name)
