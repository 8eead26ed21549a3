"""Folders listed in another order, as another file system would: none promises any."""

from __future__ import annotations

import os
import random
from typing import Any, Self


class _Entries:
    """What ``os.scandir`` returns: an iterator that is a context manager."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is left."""
        self._entries = iter(())


def reorder(seed: int) -> None:
    """Give listings back in an order of ``seed``: 1 sorted, 2 reversed, else shuffled."""
    listdir, scandir = os.listdir, os.scandir
    chance = random.Random(seed)  # noqa: S311 - steadiness is the point

    def order(names: list[Any], key: Any) -> list[Any]:
        names.sort(key=key, reverse=seed == 2)  # noqa: PLR2004 - see the docstring
        if seed > 2:  # noqa: PLR2004
            chance.shuffle(names)
        return names

    def new_listdir(path: Any = ".") -> list[Any]:
        return order(listdir(path), lambda name: name)

    def new_scandir(path: Any = ".") -> _Entries:
        with scandir(path) as found:
            return _Entries(order(list(found), lambda entry: entry.name))

    setattr(os, "listdir", new_listdir)  # noqa: B010 - a replacement of another type
    setattr(os, "scandir", new_scandir)  # noqa: B010
