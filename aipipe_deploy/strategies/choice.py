"""The choice of a strategy: written rules say what is allowed; a model may choose among it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError
from aipipe_deploy.strategies.catalogue import CATALOGUE, FIRST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe_deploy.strategies.calendar import Moment

HARMLESS = frozenset({"docs", "tests", "config"})
MANY_SERVICES = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at."""

    services: tuple[str, ...]
    """The services that get a new version."""
    risk: str = "medium"
    """``low``, ``medium`` or ``high``."""
    kinds: frozenset[str] = frozenset()
    """Kinds of change, as ``aipipe analyze`` names them."""
    irreversible: bool = False
    """A job of this release cannot be undone."""
    first: bool = False
    """Nothing serves yet."""
    moment: Moment | None = None
    """What the calendar says of now."""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model chose, and why."""

    strategy: str
    reason: str


if TYPE_CHECKING:
    Model = Callable[[Facts, Sequence[str]], ModelAnswer | None]
    """Asked for one of the allowed strategies; None, or any other answer, leaves the rules'."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The strategy, what else was allowed, and the rules that spoke."""

    strategy: str
    allowed: tuple[str, ...]
    reasons: tuple[str, ...]
    long_watch: bool = False

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(self.reasons)


def choose(
    facts: Facts, *, wanted: str = "auto", anyway: bool = False, model: Model | None = None
) -> Choice:
    """Return the strategy for ``facts``. ``wanted`` is a person's word and goes before the rules.

    Raises ``RequestError``: ``calendar-frozen``, ``calendar-quiet``; not with ``anyway``.
    """
    moment = facts.moment
    if moment and moment.frozen and not anyway:
        raise RequestError(
            "calendar-frozen",
            f"No releases now: {moment.frozen}",
            hint="Wait for its end, or say --anyway.",
        )
    if facts.first:
        return Choice(FIRST.name, (FIRST.name,), ("nothing serves yet",))
    allowed, reasons = _allowed(facts)
    long_watch = facts.risk == "high"
    if wanted != "auto":
        said = (f"{wanted} was asked for",)
        return Choice(wanted, tuple(allowed), said, long_watch)
    if moment and moment.quiet and facts.risk == "high" and not anyway:
        raise RequestError(
            "calendar-quiet",
            f"A high-risk change in hours when nobody looks ({moment.quiet})",
            hint="Release it in working hours, or say --anyway.",
        )
    chosen = allowed[0]
    answer = model(facts, tuple(allowed)) if model and len(allowed) > 1 else None
    if answer and answer.strategy in allowed:
        chosen = answer.strategy
        reasons = [*reasons, f"the model chose {chosen}: {answer.reason}"]
    elif answer:
        reasons = [*reasons, f"the model's {answer.strategy!r} is not allowed"]
    return Choice(chosen, tuple(allowed), tuple(reasons), long_watch)


def _allowed(facts: Facts) -> tuple[list[str], list[str]]:
    """The allowed strategies, the preferred one first, and the rules that spoke.

    Hotfix is never among them: that it is urgent is for a person to say.
    """
    if facts.irreversible:
        return ["canary"], ["a job cannot be undone: few users first"]
    if facts.risk == "high":
        return ["canary"], ["high risk: few users first, the long window"]
    if facts.moment and facts.moment.quiet and facts.risk != "low":
        return ["canary"], [f"nobody may be there to look ({facts.moment.quiet})"]
    if facts.kinds and facts.kinds <= HARMLESS:
        return ["rolling", "blue-green"], [f"only {', '.join(sorted(facts.kinds))} changed"]
    if len(facts.services) >= MANY_SERVICES:
        together = f"{len(facts.services)} services change together"
        return ["blue-green", "canary"], [together]
    if facts.risk == "low":
        return ["rolling", "blue-green", "canary"], ["low risk"]
    return ["blue-green", "canary"], ["medium risk: the old version stays warm for the way back"]


def known(name: str) -> bool:
    """Tell whether there is a strategy of that name."""
    return name in CATALOGUE
