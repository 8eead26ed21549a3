"""What a failure looked like: where, with which error, and how the two compared values differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

CLOSE = 1e-6


class Comparisons:
    """Remembers the operands of the comparison that pytest is about to explain."""

    def __init__(self) -> None:
        self.last: dict[str, Any] | None = None

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Note how the two differ; the explanation is left to others."""
        self.last = {"op": op, **difference(left, right)}


def difference(left: object, right: object) -> dict[str, Any]:
    """Return ``kind``: order, float, or other, and the types of both."""
    try:
        kind = _kind(left, right)
    except Exception:  # values of strangers may do anything when they are compared
        kind = "other"
    return {"kind": kind, "types": [type(left).__name__, type(right).__name__]}


def _kind(left: Any, right: Any) -> str:
    if _close(left, right):
        return "float"
    if isinstance(left, str) and isinstance(right, str):
        # The same letters in another order: pieces were put together in no fixed order.
        return "order" if left != right and sorted(left) == sorted(right) else "other"
    if isinstance(left, Mapping | AbstractSet):
        return "other"
    if isinstance(left, list | tuple) and isinstance(right, list | tuple) and left != right:
        if len(left) == len(right) and all(map(_close_or_same, left, right)):
            return "float"
        return "order" if Counter(map(repr, left)) == Counter(map(repr, right)) else "other"
    return "other"


def _close(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if not isinstance(left, int | float | complex) or not isinstance(right, int | float | complex):
        return False
    if not isinstance(left, float | complex) and not isinstance(right, float | complex):
        return False
    size = max(abs(left), abs(right))
    return left != right and math.isfinite(size) and abs(left - right) <= CLOSE * max(size, 1e-9)


def _close_or_same(left: Any, right: Any) -> bool:
    return _close(left, right) or left == right


def describe(error: BaseException, trace: Any, top: str) -> dict[str, Any]:
    """Return the error's chain of types, its message, and the innermost line of the project."""
    chain: list[str] = []
    one: BaseException | None = error
    while one is not None and len(chain) < 6:  # noqa: PLR2004 - enough to see the origin
        chain.append(type(one).__name__)
        one = one.__cause__ or one.__context__
    where, compared = "", None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_filename.startswith(top):
            where = f"{frame.f_code.co_filename}:{trace.tb_lineno}"
        values = frame.f_locals
        if frame.f_globals.get("__name__") == "unittest.case" and "first" in values:
            compared = difference(values["first"], values.get("second"))
        trace = trace.tb_next
    message = str(error).strip()[:600]
    return {
        "types": chain,
        "mro": [cls.__name__ for cls in type(error).__mro__],
        "detail": message,
        "where": where,
        "compare": compared,
    }
