"""Objects at other addresses: what has no hash of its own is ordered by where it lies."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_kept: list[Any] = []


class _Plain:
    pass


def stir(seed: int) -> None:
    """Fill and empty the allocator's free lists in a pattern of ``seed``."""
    chance = random.Random(seed)  # noqa: S311 - steadiness is the point
    makers: list[Callable[[], Any]] = [object, _Plain, list, dict, set]
    makers += [functools.partial(bytes, size) for size in range(16, 480, 16)]
    pool = [chance.choice(makers)() for _ in range(20_000)]
    chance.shuffle(pool)
    _kept.extend(pool[: chance.randrange(6_000, 14_000)])
    del pool
