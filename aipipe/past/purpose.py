"""What a commit message says the commit is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIX = re.compile(
    r"\b(?:fix(?:e[sd]|ing|up)?|bug(?:s|fix(?:es)?)?|hot-?fix|regressions?|crash(?:es|ed|ing)?|"
    r"defects?|broken|incorrect(?:ly)?|wrong(?:ly)?|deadlocks?|leaks?|race condition|"
    r"revert(?:s|ed)?|resolves? (?:issue|bug)|work ?around|typeerror|keyerror|"
    r"attributeerror|valueerror|indexerror|unboundlocalerror|segfault|traceback)\b",
    re.IGNORECASE,
)
_NOT_BEHAVIOUR = re.compile(
    r"\b(?:typos?|spelling|grammar|docs?|documentation|docstrings?|readme|changelog|"
    r"lint(?:er|ing)?|flake8?|ruff|black|isort|pylint|pep-?8|mypy|type hints?|annotations?|"
    r"whitespace|indent(?:ation)?|tests?|ci|travis|tox|appveyor|github actions?|coverage|"
    r"pre-?commit|badges?|merge)\b",
    re.IGNORECASE,
)
_REVERTED = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_WORD_LISTS = {
    "says_feature": r"add(?:s|ed|ing)?|implement\w*|new|support\w*|introduce\w*|allow\w*|feature",
    "says_refactor": (
        r"refactor\w*|clean\w*|simplif\w*|rename\w*|mov(?:e|es|ed|ing)|extract\w*|"
        r"reorgani\w*|rewrit\w*|rework\w*"
    ),
    "says_tidy": (
        r"typos?|docs?|docstrings?|lint|flake8|black|isort|style|format\w*|whitespace|comments?|"
        r"spelling|pep-?8|annotat\w*|typing|mypy"
    ),
    "says_bump": (
        r"bump|release|version|upgrade|update dependenc\w+|pin|pre-commit|changelog|prepare"
    ),
    "says_remove": r"remov\w*|delet\w*|drop\w*|deprecat\w*",
    "says_speed": r"perf\w*|optimi[sz]\w*|faster|speed\w*|cach(?:e|es|ed|ing)",
    "says_test": r"tests?",
}
_WORDS = {
    name: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for name, words in _WORD_LISTS.items()
}
_ISSUE = re.compile(r"#\d+")
_BOT = re.compile(
    r"\bbot\b|\[bot\]|dependabot|renovate|pre-commit-ci|noreply@weblate", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Purpose:
    """``fixes``: it mends behaviour. ``reverts``: beginnings of the names of what it takes back."""

    fixes: bool
    reverts: tuple[str, ...]
    words: frozenset[str]


def purpose_of(message: str) -> Purpose:
    """Return what the message says.

    A fix says so in its subject, and about behaviour: mended documentation, style, types,
    tests and builds are none.
    """
    subject = message.split("\n", 1)[0]
    reverts = tuple(_REVERTED.findall(message))
    fixes = bool(_FIX.search(subject)) and not _NOT_BEHAVIOUR.search(subject)
    words = {name for name, pattern in _WORDS.items() if pattern.search(subject)}
    if _FIX.search(subject):
        words.add("says_fix")
    if _ISSUE.search(message):
        words.add("names_issue")
    return Purpose(fixes, reverts, frozenset(words))


def is_bot(author: str) -> bool:
    """Whether a program writes under this address."""
    return bool(_BOT.search(author))
