"""Whether the change says of itself that a behaviour was to change. Pure text, no model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.compare.model import Announced, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aipipe_core.change.model import Hunk
    from pytest_aipipe.compare.model import Difference, Place

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_ABOUT_BEHAVIOUR = re.compile(
    r"\b(fix\w*|bug\w*|chang\w*|reject\w*|rais\w*|return\w*|deprecat\w*|remov\w*|drop\w*|"
    r"support\w*|allow\w*|break\w*|now|no longer|instead|correct\w*|handl\w*|avoid\w*)\b",
    re.IGNORECASE,
)
_ABOUT_LOOKS = re.compile(
    r"\b(refactor\w*|clean\w*|typo\w*|format\w*|rename\w*|lint\w*|typing|annotat\w*|docs?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the change says: its message, the names of tests that it adds or edits, its prose.

    ``prose`` are the added lines of documentation, docstrings and comments.
    """

    message: str = ""
    tests: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()


def announced(difference: Difference, place: Place, said: Said) -> tuple[Announced, str]:
    """Return whether ``said`` announces ``difference`` at ``place``, and the reason."""
    names = _names_of(place)
    outcome = _outcome_words(difference)
    for test in said.tests:
        if names & _parts(test):
            return Announced.INTENDED, f"the change adds or edits the test {test}"
    for line in said.prose:
        if outcome & set(_WORD.findall(line)):
            return Announced.INTENDED, f"the change documents it: {line.strip()[:120]}"
    message = said.message.strip()
    subject = message.splitlines()[0] if message else ""
    named = names & _parts(message) or outcome & set(_WORD.findall(message))
    if named and _ABOUT_BEHAVIOUR.search(message):
        return Announced.INTENDED, f"the commit message speaks of {min(named)}: {subject}"
    if named:
        return Announced.UNSURE, f"the commit message names {min(named)} only: {subject}"
    if _ABOUT_LOOKS.search(message) and not _ABOUT_BEHAVIOUR.search(message):
        return Announced.UNANNOUNCED, f"the commit message speaks of looks only: {subject}"
    if _ABOUT_BEHAVIOUR.search(message):
        return Announced.UNSURE, f"the commit message speaks of something else: {subject}"
    return Announced.UNANNOUNCED, "neither test, docstring nor commit message speaks of it"


def _names_of(place: Place) -> set[str]:
    """Return the words of the place's own names that are not everybody's."""
    last = place.symbol.rpartition(".")[2]
    names = {part for part in place.symbol.split(".") if part != "<module>"} | {last.strip("_")}
    return {n.lower() for n in names if len(n) > 3 and n not in {"<module>", "__init__"}}  # noqa: PLR2004


def _outcome_words(difference: Difference) -> set[str]:
    if difference.kind not in {Kind.ERROR, Kind.WARNING}:
        return set()
    shown = [side.split(":", 1)[0] for side in (difference.base, difference.head)]
    return {word for word in shown if _WORD.fullmatch(word)}


def _parts(text: str) -> set[str]:
    """Return the words of ``text``, and the parts of those written with underscores."""
    words = {word.lower() for word in _WORD.findall(text)}
    parts = {part for word in words for part in word.split("_") if part}
    joined = {"_".join(word.split("_")[1:]) for word in words if word.startswith("test_")}
    return words | parts | joined


def prose_of(hunks: Iterable[Hunk]) -> tuple[str, ...]:
    """Return the added lines that are prose: comments, and text that is no statement."""
    found = []
    for hunk in hunks:
        for line in hunk.added:
            stripped = line.strip()
            if stripped.startswith("#") or (stripped and not _is_code(stripped)):
                found.append(stripped.lstrip("# "))
    return tuple(found)


def _is_code(line: str) -> bool:
    opened = f"{line}\n    pass" if line.endswith(":") else line
    try:
        syntax.parse(opened)
    except (SyntaxError, ValueError):
        return bool(re.match(r"(el|if|else|except|finally|return|with|for|while|[)\]}]|@)", line))
    return True


def test_names(added: Sequence[str]) -> tuple[str, ...]:
    """Return the tests that the added lines of test files define."""
    found = [re.match(r"\s*(?:async )?def (test\w*)", line) for line in added]
    return tuple(match[1] for match in found if match)


test_names.__test__ = False  # type: ignore[attr-defined]
