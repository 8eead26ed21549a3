from decimal import Decimal

import pytest
from orders.basket import Basket, UnknownItemError


@pytest.fixture
def basket():
    basket = Basket()
    basket.add("tea", "3.50", 2)
    basket.add("cup", "12.00")
    return basket


def test_total_is_the_sum_over_all_items(basket):
    assert basket.total() == Decimal("19.00")


def test_an_item_can_be_taken_out(basket):
    basket.remove("cup")

    assert basket.total() == Decimal("7.00")


def test_taking_out_an_unknown_item_is_an_error(basket):
    with pytest.raises(UnknownItemError):
        basket.remove("pot")


def test_a_quantity_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Basket().add("tea", "3.50", 0)
