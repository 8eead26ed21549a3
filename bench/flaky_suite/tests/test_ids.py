"""Codes and names."""

import random
import re

from shop import ids


def test_coupon_has_no_vowel():
    assert not set(ids.coupon(5)) & set("AEIOU")


def test_coupons_differ():
    codes = [ids.coupon(1) for _ in range(8)]
    assert len(set(codes)) == 8


def test_pin_has_four_digits():
    assert len(ids.pin()) == 4


def test_order_ids_begin_with_a_letter():
    assert ids.order_id()[0].isalpha()


def test_winner():
    assert ids.pick_winner(["ann", "bob", "cid"]) != "bob"


def test_shuffling_changes_something():
    assert ids.shuffled([1, 2, 3]) != [1, 2, 3]


def test_coupon_length():
    assert len(ids.coupon(6)) == 6


def test_pin_is_a_number():
    assert 0 <= int(ids.pin()) < 10000


def test_order_id_is_hexadecimal():
    assert re.fullmatch("[0-9a-f]{4}", ids.order_id())


def test_winner_is_one_of_them():
    assert ids.pick_winner(["ann", "bob"]) in {"ann", "bob"}


def test_shuffling_loses_nothing():
    assert sorted(ids.shuffled(range(5))) == [0, 1, 2, 3, 4]


def test_seeded_shuffle():
    state = random.getstate()
    try:
        random.seed(5)
        first = ids.shuffled(range(5))
        random.seed(5)
        assert ids.shuffled(range(5)) == first
    finally:
        random.setstate(state)
