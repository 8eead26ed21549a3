"""Python source as trees, read by one thread at a time.

CPython 3.11 counts the depth of the tree that is being made for the whole interpreter, not for a
thread: where a finalizer gives way to another thread that parses too, one of them ends in
``SystemError: AST constructor recursion depth mismatch`` (github.com/python/cpython, issue
106905). Nothing is lost by taking turns, as parsing holds the interpreter's lock anyway.
"""

from __future__ import annotations

import ast
import os
import threading
from typing import Any, Literal, overload


class _Turn:
    """Whose turn it is; a child process begins with nobody's."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Forget who holds it: of the threads of a parent only the forking one goes on."""
        self.lock = threading.RLock()  # a finalizer may parse while its thread does


_TURN = _Turn()


@overload
def parse(source: str | bytes, mode: Literal["exec"] = "exec") -> ast.Module: ...
@overload
def parse(source: str | bytes, mode: Literal["eval"]) -> ast.Expression: ...
def parse(source: str | bytes, mode: Literal["exec", "eval"] = "exec") -> ast.AST:
    """Return the tree of ``source``, as ``ast.parse`` does, whatever other threads do.

    Raises SyntaxError for what is not Python, and ValueError for null bytes.
    """
    with _TURN.lock:
        return ast.parse(source, mode=mode)


def literal(source: str | ast.expr) -> Any:
    """Return the value of a literal, as ``ast.literal_eval`` does, whatever other threads do.

    Raises ValueError, SyntaxError, TypeError, MemoryError or RecursionError for anything else.
    """
    with _TURN.lock:
        return ast.literal_eval(source)
