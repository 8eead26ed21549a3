"""A skip that is settled when a test is collected, before anything of the test could run."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_PLAIN = (unittest.TestCase, unittest.IsolatedAsyncioTestCase)


def is_skipped(item: pytest.Item) -> bool:
    """Whether the marks of ``item``, or of its class, are sure to skip it in this session.

    A condition counts by the value that it has now: the module that holds it was imported by
    this process. One that is still to be evaluated (a text) leaves it open, and so does
    ``unittest.skip`` on a method: pytest sets the class up before it looks at that.
    """
    return _by_mark(item) or _by_class(item)


def _by_mark(item: pytest.Item) -> bool:
    if not item.config.pluginmanager.hasplugin("skipping"):
        return False
    conditions = [*item.iter_markers("skipif")]
    if not all(map(_is_settled, conditions)):
        return False  # it is evaluated first, and may fail
    if any(any(_values(mark)) for mark in conditions):
        return True
    mark = item.get_closest_marker("skip")
    if mark is None or not mark.kwargs.keys() <= {"reason"}:
        return False
    return len(mark.args) + len(mark.kwargs) <= 1


def _values(mark: pytest.Mark) -> tuple[object, ...]:
    return (mark.kwargs["condition"],) if "condition" in mark.kwargs else mark.args


def _is_settled(mark: pytest.Mark) -> bool:
    """Whether a condition has its value, and the reason that pytest wants for one."""
    values = _values(mark)
    told = isinstance(mark.kwargs.get("reason"), str)
    return told and bool(values) and all(isinstance(one, bool | None) for one in values)


def _by_class(item: pytest.Item) -> bool:
    """Whether a ``unittest`` class is skipped, and made without any code of its own."""
    klass = getattr(item, "cls", None)
    if not isinstance(klass, type) or not issubclass(klass, unittest.TestCase):
        return False
    own = [name for name in ("__init__", "__new__", "__call__", "run") if _is_own(klass, name)]
    return bool(getattr(klass, "__unittest_skip__", False)) and not own


def _is_own(klass: type, name: str) -> bool:
    return all(getattr(klass, name) is not getattr(plain, name) for plain in _PLAIN)
