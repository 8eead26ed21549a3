"""A basket of items and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


class UnknownItemError(LookupError):
    """An item that is not in the basket."""


@dataclass(frozen=True)
class Item:
    """One article; ``price`` is for one piece, in euros."""

    sku: str
    price: Decimal
    quantity: int = 1

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity


@dataclass
class Basket:
    """What a customer wants to buy."""

    items: list[Item] = field(default_factory=list)

    def add(self, sku: str, price: str, quantity: int = 1) -> Item:
        """Put an item in; a quantity below one is refused."""
        if quantity < 1:
            raise ValueError(f"quantity must be at least 1, not {quantity}")
        item = Item(sku, Decimal(price), quantity)
        self.items.append(item)
        return item

    def remove(self, sku: str) -> Item:
        """Take an item out."""
        for item in self.items:
            if item.sku == sku:
                self.items.remove(item)
                return item
        raise UnknownItemError(sku)

    def total(self) -> Decimal:
        """What the basket costs."""
        return sum((item.total for item in self.items), Decimal(0))
