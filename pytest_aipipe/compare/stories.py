"""What was already told of a place: so that each behaviour change is told once."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from pytest_aipipe.compare.model import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.compare.model import BehaviorChange, Difference, Place

PER_PLACE = 3
"""Distinct differences that are reported of one place at most."""
_NO_ERROR = "no error"
ATTEMPTS = 12
"""Sightings of one place that are tried before it is left."""


class Stories:
    """The differences that were told, or need not be, by place."""

    def __init__(self) -> None:
        self._known: dict[str, list[Difference]] = defaultdict(list)
        self._attempts: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def told(self, place: Place) -> int:
        """Return how many behaviour changes were told of the place."""
        return self._told[_key(place)]

    def is_closed(self, place: Place) -> bool:
        """Return whether enough is known of a place, or was tried there."""
        key = _key(place)
        return self._told[key] >= PER_PLACE or self._attempts[key] >= ATTEMPTS

    def is_new(self, place: Place, difference: Difference) -> bool:
        """Return whether a difference tells what none told before; a weak one seldom does."""
        known = self._known[_key(place)]
        if difference.weak and known:
            return False
        return not any(_alike(difference, old) for old in known)

    def attempt(self, place: Place) -> None:
        """Count one sighting that was worth the work."""
        self._attempts[_key(place)] += 1

    def know(self, place: Place, *differences: Difference) -> None:
        """Remember that these need not be told any more."""
        self._known[_key(place)] += differences

    def tell(self, place: Place, *differences: Difference) -> None:
        """Remember one behaviour change that was told, as it was seen and as it was shown."""
        self._told[_key(place)] += 1
        self.know(place, *differences)


def without_weak(changes: Sequence[BehaviorChange]) -> list[BehaviorChange]:
    """Return the changes without those worth little, where a symbol has better ones."""
    better = {change.symbol for change in changes if not change.weak}
    return [change for change in changes if not change.weak or change.symbol not in better]


def _key(place: Place) -> str:
    return f"{place.path}:{place.symbol}"


def _alike(new: Difference, old: Difference) -> bool:
    """Return whether two differences tell one story: the same kind of result on both sides.

    An error that the base raises is one story, whatever head makes of the input.
    """
    if new.kind is not old.kind:
        return False
    if new.kind is Kind.ERROR and new.base != _NO_ERROR:
        return _head(new.base) == _head(old.base)
    if new.kind in {Kind.ERROR, Kind.WARNING}:
        return [_head(new.base), _head(new.head)] == [_head(old.base), _head(old.head)]
    return True


def _head(text: str) -> str:
    return text.split(":", 1)[0]
