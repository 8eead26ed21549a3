"""How the arguments of an instruction are split: flags, words, pairs, JSON."""

from __future__ import annotations

import json

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.text import SPACES, is_space, split_fields, trim


def split_instruction(line: str) -> tuple[str, tuple[str, ...], str]:
    """Split a logical line into keyword, flags and the rest."""
    parts = split_fields(trim(line), 2)
    if len(parts) < 2:  # noqa: PLR2004 - a keyword alone
        return parts[0], (), ""
    rest, flags = _extract_flags(parts[1])
    return parts[0], tuple(flags), trim(rest)


def _extract_flags(line: str) -> tuple[str, list[str]]:
    """Take ``--flag`` words off the front; quotes and backslashes inside them are resolved."""
    flags: list[str] = []
    at = 0
    while at < len(line):
        if is_space(line[at]):
            at += 1
            continue
        if not line.startswith("--", at):
            return line[at:], flags
        word, quoted, at = _flag_word(line, at)
        if word == "--":
            return line[at:], flags
        if word or quoted:
            flags.append(word)
    return "", flags


def _flag_word(line: str, at: int) -> tuple[str, bool, int]:
    word, quote, quoted = "", "", False
    while at < len(line):
        char = line[at]
        if quote:
            if char == quote:
                quote = ""
                at += 1
                continue
        elif is_space(char):
            break
        elif char in "'\"":
            quote, quoted = char, True
            at += 1
            continue
        if char == "\\":
            at += 1
            if at >= len(line):
                break  # an escape at the very end is dropped
            char = line[at]
        word += char
        at += 1
    return word, quoted, at


def parse_words(rest: str, escape: str) -> list[str]:
    """Split at spaces outside quotes; quotes and escapes stay in the words."""
    words: list[str] = []
    word, quote, at = "", "", 0
    blank_ok = inside = False
    while at < len(rest):
        char = rest[at]
        at += 1
        if not inside and is_space(char):
            continue
        inside = True
        if not quote and is_space(char):
            if blank_ok or word:
                words.append(word)
            word, blank_ok, inside = "", False, False
            continue
        if quote:
            if char == quote:
                quote = ""
        elif char in "'\"":
            quote, blank_ok = char, True
        # Inside single quotes nothing escapes, and neither does it as the last character.
        if char == escape and quote != "'":
            if at == len(rest):
                continue
            word += char
            char = rest[at]
            at += 1
        word += char
    if inside and (blank_ok or word):
        words.append(word)
    return words


def parse_pairs(rest: str, keyword: str, escape: str) -> list[str]:
    """Read ``name=value ...`` or the old ``name value`` into a flat list of pairs."""
    words = parse_words(rest, escape)
    if not words:
        return []
    if "=" not in words[0]:
        parts = split_fields(rest, 2)
        if len(parts) < 2:  # noqa: PLR2004 - a name without its value
            raise DockerfileError(f"{keyword} must have two arguments")
        return parts
    pairs: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise DockerfileError(f"can't find = in {word!r}: it must be of the form name=value")
        pairs += [name, value]
    return pairs


def parse_json(rest: str) -> list[str] | None:
    """Return the strings of a JSON array, or None where ``rest`` is none.

    As with Go's decoder what follows the array is ignored. An array of anything but
    strings is an error.
    """
    text = rest.lstrip(SPACES)
    if not text.startswith("["):
        return None
    try:
        value, _ = json.JSONDecoder(strict=True).raw_decode(text)
    except ValueError:
        return None
    if not all(isinstance(item, str) for item in value):
        raise DockerfileError(
            "when using JSON array syntax, arrays must be comprised of strings only"
        )
    return list(value)
