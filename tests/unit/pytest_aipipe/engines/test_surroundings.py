from __future__ import annotations

from typing import Any

from pytest_aipipe.engines.llm.surroundings import bare_signatures, outline

SHOP = '''
    LIMIT = 3

    class Base:
        def __init__(self, owner):
            self.owner = owner

    class Coupon:
        """Not said: the text of what is only used."""

        def __init__(self, code, off=10):
            self.code = code

        def other(self):
            return 1

    def is_rich(basket):
        """Not said either."""
        return basket.total > 100

    def unused(x):
        return x

    def label(basket, short=False):
        return "basket"

    class Basket(Base):
        def __init__(self, total):
            self.total = total

        def discount(self, coupon: Coupon, times: int = 1) -> int:
            if is_rich(self) and times < LIMIT:
                return coupon.off
            return len(label(self))
'''


def test_what_a_condition_on_the_way_asks_is_shown_whole_and_the_rest_by_its_head(
    world: Any,
) -> None:
    shown = outline(world(SHOP).situation("Basket.discount", "return coupon.off"))

    assert "def is_rich(basket):\n    return basket.total > 100" in shown
    assert "def label(basket, short=False): ..." in shown
    assert "LIMIT = 3" in shown
    assert "unused" not in shown
    assert "Not said" not in shown


def test_how_a_used_class_and_a_base_are_made_is_shown_and_none_of_their_methods(
    world: Any,
) -> None:
    shown = outline(world(SHOP).situation("Basket.discount", "return coupon.off"))

    assert "class Coupon:\n    def __init__(self, code, off=10): ..." in shown
    assert "class Base:\n    def __init__(self, owner): ..." in shown
    assert (
        "class Basket(Base):\n    def __init__(self, total):\n        self.total = total" in shown
    )
    assert "other" not in shown


def test_bare_signatures_hold_no_body_no_default_and_no_text(world: Any) -> None:
    shown = bare_signatures(world(SHOP).situation("Basket.discount", "return coupon.off"))

    assert shown == (
        "# in class Basket\ndef discount(coupon: Coupon, times: int = ...) -> int: ..."
    )
