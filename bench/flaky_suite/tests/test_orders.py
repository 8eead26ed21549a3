"""Orders: tests that build on each other, as one should not."""

import unittest
from unittest import mock

import pytest

from shop import catalog, reports, workers

orders = []


class TestOrders:
    def test_place(self):
        orders.append("tea")
        assert "tea" in orders

    def test_cancel(self):
        orders.remove("tea")
        assert "tea" not in orders


class TestWarehouse(unittest.TestCase):
    stock = {}

    def test_a_fill(self):
        self.stock["mug"] = 3
        self.assertEqual(self.stock["mug"], 3)

    def test_b_count(self):
        self.assertEqual(self.stock.get("mug"), 3)

    def test_c_workers(self):
        reports.workers = mock.MagicMock(return_value=7)
        self.assertEqual(reports.workers(), 7)

    def test_d_rows(self):
        self.assertEqual(len(reports.render_rows(3)), 3)


def test_workers_are_a_number():
    assert reports.workers() < 5


def test_printer_is_faked():
    workers.Printer.send = lambda self, text: "faked"
    assert workers.Printer().send("x") == "faked"


def test_printer_prints():
    assert workers.Printer().send("x") == "printed x"


def test_printer_is_faked_with_care(monkeypatch):
    monkeypatch.setattr(workers.Printer, "send", lambda self, text: "fake")
    assert workers.Printer().send("x") == "fake"


class TestBasket:
    def setup_method(self):
        self.basket = []

    def test_put(self):
        self.basket.append(1)
        assert self.basket == [1]

    def test_empty(self):
        assert self.basket == []


@pytest.fixture(scope="module")
def ledger():
    return {"open": 2}


def test_ledger_opens(ledger):
    assert ledger["open"] == 2


def test_ledger_is_a_dict(ledger):
    assert isinstance(ledger, dict)


def test_first_match_is_faked():
    with mock.patch("shop.catalog.first_match") as fake:
        fake.return_value = "x"
        assert catalog.first_match("", "") == "x"


@pytest.mark.xfail(reason="known")
def test_known_defect():
    assert reports.render_rows(1) == []


@pytest.mark.skip(reason="later")
def test_not_yet():
    raise AssertionError
