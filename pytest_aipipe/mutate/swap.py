"""Exchange a module's code in a running process, or at its next import.

Standard library only: it runs inside the project's own environment.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import os
import sys
import types
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Key = tuple[str, str, int]


@lru_cache(maxsize=4096)
def real(path: str) -> str:
    """``path`` as the file system knows it; two spellings of one file are equal."""
    return os.path.realpath(path)


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """``code`` and every code object within it."""
    yield code
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from codes(value)


def key(code: types.CodeType) -> Key:
    """Return what names a code object on both sides of an edit that keeps line numbers."""
    return (code.co_qualname, code.co_name, code.co_firstlineno)


def live_functions(paths: set[str]) -> dict[str, list[types.FunctionType]]:
    """Every function that exists now and was compiled from one of ``paths``."""
    found: dict[str, list[types.FunctionType]] = {path: [] for path in paths}
    for item in gc.get_objects():
        if type(item) is types.FunctionType:
            path = real(item.__code__.co_filename)
            if path in found:
                found[path].append(item)
    return found


class CannotSwapError(Exception):
    """The mutant needs its module to be executed again."""


def swap(functions: Sequence[types.FunctionType], before: types.CodeType, after: str) -> int:
    """Give every function of a module the code it has in the text ``after``.

    ``before`` is the module's code as compiled from the unchanged text. Returns how many
    functions changed. Raises :class:`CannotSwapError` when the module's own statements
    differ, or when a function closes over other names than before.
    """
    mutated = compile(after, before.co_filename, "exec", dont_inherit=True)
    old = {key(code): code for code in codes(before)}
    new = {key(code): code for code in codes(mutated)}
    changed = {k: code for k, code in new.items() if k in old and old[k] != code}
    count = 0
    for function in functions:
        code = changed.get(key(function.__code__))
        if code is None:
            continue
        if code.co_freevars != function.__code__.co_freevars:
            raise CannotSwapError
        function.__code__ = code
        count += 1
    return count


class _PlainFinder(importlib.abc.MetaPathFinder):
    """Finds the mutated modules before anyone who would compile them in another way."""

    def __init__(self, paths: set[str]) -> None:
        self.paths = paths

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin and real(spec.origin) in self.paths:
            return spec
        return None


def import_mutated(texts: Mapping[str, str]) -> None:
    """From now on, import (reload, run) the modules at these paths from these texts."""
    loader: Any = importlib.machinery.SourceFileLoader
    get_code: Callable[[Any, str], Any] = loader.get_code

    def mutated(path: str) -> types.CodeType | None:
        text = texts.get(real(path))
        return None if text is None else compile(text, path, "exec", dont_inherit=True)

    def replacement(self: Any, fullname: str) -> Any:
        return mutated(self.get_filename(fullname)) or get_code(self, fullname)

    loader.get_code = replacement
    sys.meta_path.insert(0, _PlainFinder(set(texts)))
    _patch_runpy(mutated)


def _patch_runpy(mutated: Callable[[str], types.CodeType | None]) -> None:
    """``runpy.run_path`` reads the file by itself."""
    import runpy

    module: Any = runpy
    original: Callable[..., Any] | None = getattr(module, "_get_code_from_file", None)
    if original is None:
        return

    def replacement(*args: Any) -> Any:
        found = original(*args)
        code = mutated(os.fspath(args[-1]))
        if code is None:
            return found
        return (code, *found[1:]) if isinstance(found, tuple) else code

    module._get_code_from_file = replacement  # noqa: SLF001
