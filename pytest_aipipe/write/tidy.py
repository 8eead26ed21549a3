"""A plain layout for a project without a formatter: no line longer than it likes."""

from __future__ import annotations

import io
import itertools
import tokenize

_OPEN, _CLOSE = "([{", ")]}"


def tidied(source: str, width: int) -> str:
    """Return ``source`` with its over-long lines broken inside their brackets."""
    lines: list[str] = []
    for line in source.splitlines():
        lines += _broken(line, width) if len(line) > width else [line]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    try:
        compile(text, "<tidied>", "exec")
    except (SyntaxError, ValueError):
        return source
    return text


def _broken(line: str, width: int) -> list[str]:
    """Break after the last outermost opening bracket, then at its commas where it must be."""
    pair = _last_pair(line)
    if pair is None:
        return [line]
    start, end, commas = pair
    indent = line[: len(line) - len(line.lstrip())]
    head, body, tail = line[: start + 1], line[start + 1 : end].strip(), line[end:]
    if not body:
        return [line]
    inner = f"{indent}    "
    whole = inner + body
    call_like = line[start] == "(" and not commas and not body.endswith(",")
    if len(whole) <= width and (call_like or line.lstrip().startswith("from ")):
        return [head, whole, indent + tail]
    cuts = [start, *commas, end]
    pieces = [line[a + 1 : b].strip() for a, b in itertools.pairwise(cuts)]
    generator = call_like and (" for " in body or not commas)
    if len(whole) <= width and not commas:
        return [head, whole, indent + tail]
    result = [head]
    for piece in pieces:
        if not piece:
            continue
        text = inner + piece + ("" if generator else ",")
        result += _broken(text, width) if len(text) > width else [text]
    return [*result, indent + tail]


def _last_pair(line: str) -> tuple[int, int, list[int]] | None:
    """Return the outermost bracket pair to break: its ends, and the commas directly in it."""
    depth = 0
    start = -1
    commas: list[int] = []
    parameters = False  # of a lambda: their commas end no argument
    found: list[tuple[int, int, list[int]]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.strip() + "\n").readline):
            if depth == 1 and token.string in {"lambda", ":"}:
                parameters = token.string == "lambda"
            if token.type != tokenize.OP:
                continue
            column = token.start[1] + len(line) - len(line.lstrip())
            if token.string in _OPEN:
                if depth == 0:
                    start, commas = column, []
                depth += 1
            elif token.string in _CLOSE:
                depth -= 1
                if depth == 0:
                    found.append((start, column, commas))
            elif token.string == "," and depth == 1 and not parameters:
                commas.append(column)
    except (tokenize.TokenError, IndentationError):
        return None
    wide = [one for one in found if one[1] - one[0] > 2]  # noqa: PLR2004 - "()" or "[x]" is nothing to break
    return wide[-1] if wide else None
