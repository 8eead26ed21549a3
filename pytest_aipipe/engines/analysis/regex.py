"""A text that a regular expression matches, built from its parse tree."""

from __future__ import annotations

import re
from typing import Any

try:
    from re import _constants as _c  # type: ignore[attr-defined]
    from re import _parser  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - the names before 3.11
    import sre_constants as _c
    import sre_parse as _parser

_CATEGORIES = {
    "CATEGORY_DIGIT": "1",
    "CATEGORY_WORD": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": " ",
    "CATEGORY_NOT_SPACE": "a",
}


def example(pattern: str, flags: int = 0, *, repeat: int = 1) -> str | None:
    """Return a text that ``pattern`` matches, or None where none was found.

    ``repeat`` asks optional and repeated parts to appear about that often.
    """
    try:
        parsed: Any = _parser.parse(pattern, flags)
    except (re.error, RecursionError, OverflowError):
        return None
    groups: dict[int, str] = {}
    text = "".join(_one(item, groups, repeat) for item in parsed)
    return text if re.search(pattern, text, flags) else None


def _one(item: Any, groups: dict[int, str], repeat: int) -> str:
    op, argument = item
    name = str(op)
    if name == "LITERAL":
        return chr(argument)
    if name == "NOT_LITERAL":
        return "a" if argument != ord("a") else "b"
    if name == "ANY":
        return "a"
    if name == "IN":
        return _member(argument)
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = argument
        times = min(max(least, repeat), most if most is not _c.MAXREPEAT else max(least, repeat))
        return "".join(
            "".join(_one(i, groups, repeat) for i in inner) for _ in range(min(times, 50))
        )
    if name == "SUBPATTERN":
        text = "".join(_one(i, groups, repeat) for i in argument[3])
        if argument[0] is not None:
            groups[argument[0]] = text
        return text
    if name == "BRANCH":
        return "".join(_one(i, groups, repeat) for i in argument[1][0])
    if name == "GROUPREF":
        return groups.get(argument, "")
    if name == "ATOMIC_GROUP":
        return "".join(_one(i, groups, repeat) for i in argument)
    return ""


def _member(options: list[Any]) -> str:
    negated = bool(options) and str(options[0][0]) == "NEGATE"
    if negated:
        for text in "a1 -_.ä\n":
            if not any(_holds(o, text) for o in options[1:]):
                return text
        return "~"
    op, argument = options[0]
    name = str(op)
    if name == "LITERAL":
        return chr(argument)
    if name == "RANGE":
        return chr(argument[0])
    return _CATEGORIES.get(str(argument), "a")


def _holds(option: Any, text: str) -> bool:
    name, argument = str(option[0]), option[1]
    if name == "LITERAL":
        return ord(text) == int(argument)
    if name == "RANGE":
        return bool(argument[0] <= ord(text) <= argument[1])
    kind = str(argument)
    holds = (
        text.isdigit() if "DIGIT" in kind
        else text.isspace() if "SPACE" in kind
        else text.isalnum() or text == "_"
    )  # fmt: skip
    return holds != ("_NOT_" in kind)
