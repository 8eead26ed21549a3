"""Inputs that make ordinary code raise a given exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.shapes import type_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_aipipe.engines.analysis.guards import Guards

_PROVOKED: dict[str, tuple[str, ...]] = {
    "OverflowError": ("1e300", "float('inf')", "10 ** 400"),
    "ZeroDivisionError": ("0", "0.0"),
    "UnicodeDecodeError": (r"b'\xff\xfe\xfa'",),
    "UnicodeEncodeError": (r"'\ud800'", "'é'"),
    "UnicodeError": (r"b'\xff\xfe\xfa'", r"'\ud800'"),
    "KeyError": ("{}", "'no-such-key'"),
    "IndexError": ("[]", "''", "99"),
    "LookupError": ("{}", "[]", "'no-such-name'"),
    "ValueError": ("'not a number'", "''", "float('nan')", "'a=b=c'", "-1"),
    "TypeError": ("None", "object()", "1", "'text'", "[[]]", "len"),
    "AttributeError": ("object()", "None", "1"),
    "StopIteration": ("[]", "iter([])"),
    "RecursionError": ("'[' * 100000",),
    "FileNotFoundError": ("'no-such-file'",),
    "OSError": ("'no-such-file'", "''", "1e18"),
    "IsADirectoryError": ("'.'",),
    "ImportError": ("'no_such_module'", "'no_such_module.thing'"),
    "ModuleNotFoundError": ("'no_such_module'",),
    "SyntaxError": ("'def'", "'('"),
    "error": ("'('", "'*'"),
    "JSONDecodeError": ("'{'", "''"),
    "UnsupportedOperation": ("''",),
    "AssertionError": ("None", "0"),
    "Exception": ("object()", "None", "''", "[]"),
}
_BY_USE = ("getitem", "setitem", "iter", "len", "str", "call", "enter", "eq", "int", "float",
           "index", "hash", "contains", "fspath", "repr", "delitem", "bool", "add")  # fmt: skip


def errors_caught(guards: Iterable[Guards]) -> list[str]:
    """Return the exceptions that the handlers on the way catch, in order."""
    found: dict[str, None] = {}
    for guard in guards:
        for _, handler in guard.handlers:
            names = type_names(handler.type) if handler.type is not None else ["Exception"]
            found.update(dict.fromkeys(names))
    return list(found)


def provoking(guards: Iterable[Guards]) -> list[str]:
    """Return expressions that often make code raise what the handlers catch."""
    return [
        value
        for error in errors_caught(guards)
        for value in _PROVOKED.get(error.rsplit(".", 1)[-1], ())
    ]


def failing_classes(error: str) -> list[tuple[str, str]]:
    """Return stand-ins whose use raises ``error``: the class statement and an expression.

    One fails at everything, one is a dictionary that cannot be written to, one a stream.
    """
    every = "\n    ".join(f"__{name}__ = fail" for name in _BY_USE[:-1])
    head = f"    def fail(self, *args, **kwargs):\n        raise {error}"
    stream = "read = write = flush = close = seek = fileno = isatty = fail"
    return [
        (f"class Failing:\n{head}\n\n    {every}\n    __getattr__ = fail", "Failing()"),
        (f"class Failing(dict):\n{head}\n\n    __setitem__ = fail", "Failing()"),
        (f"class Failing(list):\n{head}\n\n    append = __setitem__ = fail", "Failing()"),
        (f"class Failing:\n{head}\n\n    {stream}", "Failing()"),
        (f"def fail(*args, **kwargs):\n    raise {error}", "fail"),
        (f"class Failing(dict):\n{head}\n\n    __getitem__ = fail", "Failing()"),
    ]


def error_raised(error: str) -> str:
    """Return the expression that makes an instance of ``error``."""
    return error + _arguments(error)


def _arguments(error: str) -> str:
    name = error.rsplit(".", 1)[-1]
    if name in {"KeyboardInterrupt", "EOFError", "StopIteration", "StopAsyncIteration"}:
        return ""
    if name.startswith("Unicode"):
        return (
            "('utf-8', b'x', 0, 1, 'wrong')"
            if "Decode" in name
            else "('utf-8', 'x', 0, 1, 'wrong')"
        )
    if name == "CalledProcessError":
        return "(1, 'command')"
    if name == "TimeoutExpired":
        return "('command', 1)"
    return "('wrong')"
