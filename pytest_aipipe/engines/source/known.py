"""Objects of the standard library, by what a function does with them."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.regex import example
from pytest_aipipe.engines.source.values import Value

if TYPE_CHECKING:
    from pytest_aipipe.engines.analysis.module import ModuleView
    from pytest_aipipe.engines.analysis.shapes import Shape

_OBJECTS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({"wait_for", "notify_all", "notify", "wait"}), "Condition()",
     "from threading import Condition"),
    (frozenset({"acquire", "release", "locked"}), "Lock()", "from threading import Lock"),
    (frozenset({"read", "readline", "readlines", "write", "seek", "tell", "flush", "getvalue",
                "close", "isatty", "truncate", "writelines", "closed"}),
     "StringIO('one\\ntwo\\n')", "from io import StringIO"),
    (frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo",
                "isoformat", "strftime", "replace", "timestamp", "utcoffset", "astimezone",
                "date", "time"}),
     "datetime(2024, 1, 2, 3, 4, 5)", "from datetime import datetime"),
    (frozenset({"days", "seconds", "total_seconds", "microseconds"}), "timedelta(days=1)",
     "from datetime import timedelta"),
    (frozenset({"keys", "values", "items", "get", "setdefault", "update", "pop", "clear",
                "popitem"}),
     "{'a': 1}", ""),
    (frozenset({"add", "discard", "remove", "union", "difference", "intersection", "clear", "pop"}),
     "{1, 2}", ""),
    (frozenset({"append", "extend", "insert", "pop", "remove", "sort", "reverse", "index",
                "clear"}),
     "[1, 2, 3]", ""),
    (frozenset({"exists", "is_file", "is_dir", "parent", "name", "stem", "suffix", "read_text",
                "write_text", "joinpath", "resolve", "open"}), "Path('file.txt')",
     "from pathlib import Path"),
    (frozenset({"parameters", "return_annotation", "bind", "bind_partial"}),
     "inspect.signature(lambda a, /, b, c=1, *args, d, e=2, **kwargs: None)", "import inspect"),
)  # fmt: skip
_OF_A_MATCH = frozenset({"group", "groups", "groupdict", "start", "end", "span", "expand"})
_SEARCHING = frozenset({"compile", "match", "search", "fullmatch", "sub", "split", "finditer"})
_PATTERNS = 4


def used_like(shape: Shape) -> list[Value]:
    """Return the objects that have all that ``shape`` asks of one; none where it asks nothing."""
    names = frozenset(shape.attributes)
    found = [
        Value(expr, imports=(statement,) if statement else ())
        for known, expr, statement in _OBJECTS
        if names and names <= known
    ]
    if names and names == shape.methods and names <= _OF_A_MATCH:
        found.append(Value(r"re.search(r'(\w)(\w+)(.*)', 'one two')", imports=("import re",)))
    return found


@lru_cache(maxsize=64)
def matches(module: ModuleView) -> tuple[Value, ...]:
    """Return matches of the patterns that ``module`` writes down, of a text that each fits."""
    found: dict[str, Value] = {}
    for pattern in _patterns(module.tree):
        text = example(pattern)
        if text is not None:
            code = f"re.search({pattern!r}, {text!r})"
            found.setdefault(code, Value(code, imports=("import re",)))
    return tuple(found.values())[:_PATTERNS]


def _patterns(tree: ast.Module) -> list[str]:
    """Return what is passed to ``re`` as a pattern, and what is called one."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=name),
                args=[ast.Constant(value=str(pattern)), *_],
            ) if name in _SEARCHING:
                found.append(pattern)
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Constant(value=str(pattern))
            ) if name.upper().endswith(("PATTERN", "REGEX", "_RE")):
                found.append(pattern)
            case _:
                continue
    return found
