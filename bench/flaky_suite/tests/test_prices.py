"""Sums, means, discounts."""

import math
import random

import pytest

from shop import prices


@pytest.fixture
def ledger():
    return {"rent": 0.1, "tea": 0.2, "mug": 0.3, "pen": 1e-9, "cup": 7.7, "box": 1e8}


def test_total_of_some(ledger):
    names = {"rent", "tea", "mug"}
    assert prices.total(ledger[name] for name in names) == 0.6


def test_total_in_any_order():
    basket = prices.basket(40)
    assert prices.total(basket) == prices.total(sorted(basket))


def test_mean_in_any_order():
    basket = prices.basket(25)
    assert prices.mean(basket) == prices.mean(basket[::-1])


def test_parts_add_up():
    basket = prices.basket(30)
    assert prices.total(basket[:15]) + prices.total(basket[15:]) == prices.total(basket)


def test_scaled_total():
    basket = prices.basket(20)
    assert prices.total(price * 3 for price in basket) == 3 * prices.total(basket)


def test_total_is_close(ledger):
    assert prices.total(ledger.values()) == pytest.approx(100000008.3)


def test_total_exact_with_fsum():
    basket = prices.basket(40)
    assert math.fsum(basket) == math.fsum(sorted(basket))


def test_small_numbers():
    assert prices.total([0.5, 0.25]) == 0.75


def test_jitter_stays_low():
    assert prices.jitter(100) < 107


def test_average_of_a_basket():
    assert 45 < prices.mean(prices.basket(30)) < 55


def test_discount_is_generous():
    assert prices.sample_discount() >= 10


def test_discount_is_known():
    assert prices.sample_discount(random.Random(3)) in (5, 10, 15, 20)


def test_jitter_is_bounded():
    assert 90 <= prices.jitter(100) <= 110


def test_seeded_basket():
    rng = random.Random(42)
    assert [rng.randint(0, 9) for _ in range(4)] == [1, 0, 4, 3]


def test_parallel_total():
    assert prices.parallel_total([1, 2, 3]) == 6


def test_variance_is_never_negative():
    assert prices.variance(prices.basket(10)) >= 0
