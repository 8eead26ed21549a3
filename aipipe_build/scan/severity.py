"""How grave a vulnerability is: low, medium, high, critical, or unknown.

Unknown is no comfort: it counts as grave as the threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNKNOWN = "unknown"
ORDER = (UNKNOWN, "none", "low", "medium", "high", "critical")
_WORDS = {
    "none": "none", "negligible": "low", "unimportant": "low", "low": "low", "minor": "low",
    "moderate": "medium", "medium": "medium", "important": "high", "high": "high",
    "critical": "critical",
}  # fmt: skip
_FROM = (("critical", 9.0), ("high", 7.0), ("medium", 4.0), ("low", 0.1))
"""Where the levels begin: https://www.first.org/cvss/v3.1/specification-document, section 5."""


def of_word(word: object) -> str:
    """Return the level that a database's own word means, ``unknown`` for none."""
    return _WORDS.get(word.strip().lower(), UNKNOWN) if isinstance(word, str) else UNKNOWN


def of_score(score: float) -> str:
    """Return the level of a CVSS score."""
    return next((level for level, least in _FROM if score >= least), "none")


def of_vector(vector: str) -> str:
    """Return the level of a CVSS vector of version 2, 3 or 4; ``unknown`` for none.

    Raises ``cvss-not-installed``.
    """
    try:
        from cvss import CVSS2, CVSS3, CVSS4
        from cvss.exceptions import CVSSError
    except ImportError as error:
        raise SurroundingsError(
            "cvss-not-installed",
            "the package cvss, which tells how grave a vulnerability is, is not installed",
            hint="Install it: pip install 'pytest-aipipe[build]'.",
        ) from error
    try:
        if vector.startswith("CVSS:4"):
            return of_score(float(CVSS4(vector).base_score))
        if vector.startswith("CVSS:3"):
            return of_score(float(CVSS3(vector).scores()[0]))
        return of_score(float(CVSS2(vector).scores()[0]))
    except (CVSSError, ValueError, TypeError, KeyError):
        return UNKNOWN


def gravest(levels: Iterable[str]) -> str:
    """Return the gravest of ``levels``, ``unknown`` where none is known."""
    return max(levels, key=ORDER.index, default=UNKNOWN)


def reaches(level: str, threshold: str) -> bool:
    """Tell whether a level is as grave as the threshold. Unknown is."""
    return level == UNKNOWN or ORDER.index(level) >= ORDER.index(threshold)


def severity_of(document: Mapping[str, Any]) -> str:
    """Return the gravest level that an OSV record, or one of its packages, tells of itself."""
    levels = [UNKNOWN]
    for row in document.get("severity") or ():
        if isinstance(row, dict) and str(row.get("type", "")).startswith("CVSS"):
            levels.append(of_vector(str(row.get("score", ""))))
        elif isinstance(row, dict):
            levels.append(of_word(row.get("score")))
    for name in ("database_specific", "ecosystem_specific"):
        inner = document.get(name)
        if isinstance(inner, dict):
            levels.append(of_word(inner.get("severity", inner.get("urgency", ""))))
    return gravest(levels)
