"""Code that runs for one test and serves others: what keeps its results, what ran too early.

A function that keeps its result (``functools.cache``, ``cached_property``, a module's lazily
made global) runs in the first test that asks; the others show only that they asked. And what
a module that was loaded before measuring began ran at import, nobody has seen. For both it
is asked from the text which functions may call the changed one, by name and upwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from pytest_aipipe.select.mentions import Function, Mentions

    Key = tuple[str, str]

MOST_CALLERS = 120
"""Functions that are followed upwards."""


class Caller(NamedTuple):
    """A function of a file that may come to run the changed code."""

    path: str
    function: Function


class Callers:
    """Follows names upwards. ``mentioning`` yields the files in whose text a name stands.

    ``below`` returns a class (its file and name) and those that are made from it.
    """

    def __init__(
        self,
        mentioning: Callable[[str], Iterator[tuple[Key, Mentions]]],
        below: Callable[[Key], Iterable[Key]] = lambda one: {one},
    ) -> None:
        self._mentioning, self._below = mentioning, below

    def above(
        self,
        key: Key,
        found: Mentions,
        lines: Collection[int],
        has_run: Callable[[Caller], bool] = lambda _: True,
    ) -> list[Caller]:
        """Return the functions around ``lines``, and those that may call them, nearest first.

        What has not run has called nothing.
        """
        waiting = [
            Caller(key[0], one)
            for one in found.functions
            if any(line in one.span for line in lines)
        ]
        seen = {(caller.path, caller.function.span.start) for caller in waiting}
        result: list[Caller] = []
        while waiting and len(result) < MOST_CALLERS:
            caller = waiting.pop(0)
            result.append(caller)
            for name in self.called(caller):
                for other, one in self._naming(name):
                    if (other, one.span.start) not in seen:
                        seen.add((other, one.span.start))
                        if has_run(Caller(other, one)):
                            waiting.append(Caller(other, one))
        return result

    def at_import(self, names: Iterable[str], paths: Collection[str]) -> set[str]:
        """Return those of ``paths`` that name one of ``names`` in what runs at import."""
        found = set()
        for name in names:
            for key, there in self._mentioning(name):
                if key[0] in paths and any(name in one.mentions for one in there.binders):
                    found.add(key[0])
        return found

    def called(self, caller: Caller) -> set[str]:
        """Return by what names a function is called: by its class', if it is a special one."""
        function = caller.function
        if not function.name.startswith("__"):
            return {function.name}
        if function.top == function.name:
            return set()
        return {name for _, name in self._below((caller.path, function.top))}

    def _naming(self, name: str) -> Iterator[tuple[str, Function]]:
        for key, there in self._mentioning(name):
            numbers = {abs(n) for lines in there.lines.get(name, {}).values() for n in lines}
            for one in there.functions:
                if any(line in one.span for line in numbers):
                    yield key[0], one
