"""The fewest tests that reach what all of them reach (greedy set cover)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def fewest(reaches: Sequence[frozenset[Hashable]], costs: Sequence[int]) -> list[int]:
    """Return the positions of a small set that covers the union of ``reaches``, in order.

    Among equals the cheaper (shorter) test wins, then the earlier one. A test that the
    others make superfluous after all is dropped in the end.
    """
    missing = set[Hashable]().union(*reaches) if reaches else set()
    chosen: list[int] = []
    while missing:
        best = max(range(len(reaches)), key=lambda i: (len(reaches[i] & missing), -costs[i], -i))
        if not reaches[best] & missing:
            break
        chosen.append(best)
        missing -= reaches[best]
    for one in sorted(chosen, key=lambda i: -costs[i]):
        others = set[Hashable]().union(*(reaches[i] for i in chosen if i != one))
        if reaches[one] <= others:
            chosen.remove(one)
    return sorted(chosen)
