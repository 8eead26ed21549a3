"""Caps in money and tokens, per run and per day: reaching one stops the calls, not the run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError
from aipipe_core.llm.problems import ModelError

if TYPE_CHECKING:
    from aipipe_core.config import Settings


@dataclass(frozen=True, slots=True)
class Spent:
    """Money in US dollars, and tokens in and out."""

    cost: float = 0.0
    tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cost + other.cost, self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent; infinite where nothing was said."""

    run_cost: float = math.inf
    day_cost: float = math.inf
    run_tokens: float = math.inf
    day_tokens: float = math.inf

    @property
    def bounds_money(self) -> bool:
        """Whether a cap in money was set."""
        return math.isfinite(self.run_cost) or math.isfinite(self.day_cost)

    def check(self, run: Spent, day: Spent, coming: Spent) -> None:
        """Raise ``ModelError`` (``model-cap-reached``) where ``coming`` would pass a cap."""
        rows = (
            (run.cost + coming.cost, self.run_cost, "--ai-max-cost", "run", "$"),
            (day.cost + coming.cost, self.day_cost, "--ai-max-cost", "day", "$"),
            (run.tokens + coming.tokens, self.run_tokens, "--ai-max-tokens", "run", ""),
            (day.tokens + coming.tokens, self.day_tokens, "--ai-max-tokens", "day", ""),
        )
        for total, most, flag, span, unit in rows:
            if total > most:
                raise ModelError(
                    "model-cap-reached",
                    f"The next call could pass {flag}: {unit}{total:.6g}, {unit}{most:g} a {span}",
                    hint="The model is not asked again; the run goes on without it.",
                    lasting=True,
                )


def caps_from(settings: Settings) -> Caps:
    """Return the caps of the settings ``max_cost`` and ``max_tokens``: ``RUN`` or ``RUN/DAY``."""
    run_cost, day_cost = _pair("max-cost", settings.max_cost)
    run_tokens, day_tokens = _pair("max-tokens", settings.max_tokens)
    return Caps(run_cost, day_cost, run_tokens, day_tokens)


def _pair(name: str, text: str) -> tuple[float, float]:
    parts = [part.strip().lstrip("$").replace("_", "") for part in text.split("/")]
    if parts == [""]:
        return math.inf, math.inf
    try:
        numbers = [float(part) if part else math.inf for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or any(math.isnan(n) or n < 0 for n in numbers):
        raise RequestError(
            f"bad-{name}",
            f"--ai-{name}={text} is no cap",
            hint="Write a number for the run, or RUN/DAY: 0.50/5.",
        )
    return numbers[0], numbers[1] if len(numbers) > 1 else math.inf
