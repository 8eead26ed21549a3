"""One random small change of a text: of its lines where it has any, or of its words and marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_PIECES = re.compile(r"\w+|\s+|[^\w\s]")
_WORDS = re.compile(r"[^\W\d]\w*")
_MARKS = " \n\t\"'()[]{}<>=.,:;#-+*/\\|&%$@!?_0aé"


def edited_text(
    text: str,
    rng: Random,
    *,
    texts: Sequence[str] = (),
    tokens: Sequence[str] = (),
    own: Sequence[str] = (),
) -> str:
    """Return ``text`` with lines or pieces of it dropped, repeated, moved, replaced or put in.

    ``texts`` are others to take from, ``own`` those of the same test, ``tokens`` single pieces.
    """
    other = rng.choice(texts) if texts else text
    if own and rng.random() < 0.15:  # noqa: PLR2004 - another text of the same test
        other = rng.choice(own)
    turn = rng.random()
    if turn < 0.05:  # noqa: PLR2004
        return other
    if turn < 0.12:  # noqa: PLR2004
        return _with_a_word_again(text, rng)
    if rng.random() < 0.4:  # noqa: PLR2004 - what speaks of the same things meets them
        other = _about_the_same(other, text, rng)
    by_lines = "\n" in text or "\n" in other
    if by_lines and turn < 0.5:  # noqa: PLR2004
        lines = text.splitlines(keepends=True)
        return _joined(_rearranged(lines, other.splitlines(keepends=True), rng), rng)
    pieces = _PIECES.findall(text)
    strange: list[str] = _PIECES.findall(other)
    if tokens and rng.random() < 0.5:  # noqa: PLR2004
        strange = [rng.choice(tokens)]
        if pieces and rng.random() < 0.5:  # noqa: PLR2004 - a token is as often one for another
            pieces[rng.randrange(len(pieces))] = strange[0]
            return "".join(pieces)
    elif rng.random() < 0.2:  # noqa: PLR2004
        strange = [rng.choice(_MARKS)]
    return "".join(_rearranged(pieces, strange, rng))


def _with_a_word_again(text: str, rng: Random) -> str:
    """Return ``text`` with one of its words in the place of another: what has one name meets."""
    found = list(_WORDS.finditer(text))
    if not found:
        return text
    one, other = rng.choice(found), rng.choice(found)
    return text[: one.start()] + other[0] + text[one.end() :]


def _about_the_same(other: str, text: str, rng: Random) -> str:
    """Return ``other`` with words of ``text`` for about half of its own."""
    own = _WORDS.findall(text)
    if not own:
        return other
    words = dict.fromkeys(_WORDS.findall(other))
    chosen = {word: rng.choice(own) for word in words if rng.random() < 0.5}  # noqa: PLR2004
    return _WORDS.sub(lambda one: chosen.get(one[0], one[0]), other)


def _joined(lines: list[str], rng: Random) -> str:
    """Join lines; the ends of all but the last are lines' ends."""
    whole = [one if one.endswith("\n") else one + "\n" for one in lines[:-1]] + lines[-1:]
    text = "".join(whole)
    return text + "\n" if text and not text.endswith("\n") and rng.random() < 0.2 else text  # noqa: PLR2004


def _rearranged(parts: list[str], strange: Sequence[str], rng: Random) -> list[str]:
    made = list(parts)
    at = rng.randint(0, len(made))
    turn = rng.randrange(8)
    if turn in {0, 1} and strange:
        start = rng.randrange(len(strange))
        length = 1 if rng.random() < 0.6 else rng.randint(1, min(6, len(strange)))  # noqa: PLR2004
        made[at:at] = strange[start : start + length]
    elif turn == 2 and strange:  # noqa: PLR2004
        made = [*made[:at], *strange[rng.randrange(len(strange)) :]]
    elif not made:
        made = list(strange[:1])
    elif turn == 3 and strange:  # noqa: PLR2004
        made[min(at, len(made) - 1)] = rng.choice(strange)
    elif turn == 4:  # noqa: PLR2004
        length = 1 if rng.random() < 0.6 else rng.randint(1, 5)  # noqa: PLR2004
        at = min(at, len(made) - 1)
        del made[at : at + length]
    elif turn == 5:  # noqa: PLR2004
        made.insert(at, rng.choice(made))
    elif turn == 6:  # noqa: PLR2004
        made.append(made.pop(min(at, len(made) - 1)))
    else:
        one, two = rng.randrange(len(made)), rng.randrange(len(made))
        made[one], made[two] = made[two], made[one]
    return made
