"""What tokens cost: a small table of public list prices, and what the configuration says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from aipipe_core.llm.model import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    cached: float
    output: float

    def of(self, usage: Usage) -> float:
        """Return what ``usage`` costs, in US dollars."""
        fresh = usage.input - usage.cached
        paid = fresh * self.input + usage.cached * self.cached + usage.output * self.output
        return paid / MILLION


FREE = Price(0.0, 0.0, 0.0)

# List prices change: a project that wants to be exact sets model.large_price, .small_price.
KNOWN = {
    "gpt-5": Price(1.25, 0.125, 10.0),
    "gpt-5-mini": Price(0.25, 0.025, 2.0),
    "gpt-5-nano": Price(0.05, 0.005, 0.4),
    "gpt-4.1": Price(2.0, 0.5, 8.0),
    "gpt-4.1-mini": Price(0.4, 0.1, 1.6),
    "gpt-4.1-nano": Price(0.1, 0.025, 0.4),
    "gpt-4o": Price(2.5, 1.25, 10.0),
    "gpt-4o-mini": Price(0.15, 0.075, 0.6),
    "o4-mini": Price(1.1, 0.275, 4.4),
    "o3": Price(2.0, 0.5, 8.0),
}


def known_price(model: str) -> Price | None:
    """Return the list price of ``model``; a dated name (``gpt-4o-2024-08-06``) is its family's."""
    names = [name for name in KNOWN if model == name or model.startswith(f"{name}-20")]
    return KNOWN[max(names, key=len)] if names else None


def parse_price(text: str, where: str) -> Price:
    """Return the price that ``IN/OUT`` or ``IN/CACHED/OUT`` says; raise ``RequestError``."""
    try:
        numbers = [float(part) for part in text.split("/")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or any(not 0 <= number < MILLION for number in numbers):
        raise RequestError(
            "model-price",
            f"{text!r} is no price",
            where=where,
            hint="Write IN/OUT or IN/CACHED/OUT, US dollars for a million tokens: 0.40/0.10/1.60.",
        )
    return Price(numbers[0], numbers[-2], numbers[-1])
