"""Days, hours, expiry."""

import datetime
import time
from datetime import date, timedelta

import pytest

from shop import clock


def test_greets():
    assert clock.greeting() == "Good afternoon"


def test_shop_is_open_today():
    assert clock.is_open()


def test_delivery_in_this_month():
    assert clock.delivery_day(3).month == date.today().month


def test_stamp_has_fractions():
    assert "." in clock.stamp()


def test_two_invoices_of_one_moment():
    first = clock.invoice_number()
    second = clock.invoice_number()
    assert first == second


def test_certificate_is_valid():
    assert clock.is_valid(datetime.datetime(2031, 1, 1, tzinfo=datetime.UTC))


def test_anniversary_of_today():
    assert clock.anniversary(date.today()) > date.today()


def test_day_of_the_epoch():
    assert clock.local_day(0) == date(1970, 1, 1)


def test_hour_of_an_event():
    assert clock.local_hour(1_700_000_000) == 22


def test_today_is_today_everywhere():
    assert datetime.datetime.now(datetime.UTC).date() == date.today()


def test_round_trip_of_a_moment():
    moment = datetime.datetime(2024, 6, 1, 12, 0)
    assert moment.timestamp() == 1717243200


def test_noon_as_text():
    assert time.ctime(1_700_000_000) == "Tue Nov 14 22:13:20 2023"


def test_delivery_is_later():
    assert clock.delivery_day() > date.today() - timedelta(days=1)


def test_day_in_utc():
    assert datetime.datetime.fromtimestamp(0, datetime.UTC).date() == date(1970, 1, 1)


def test_greets_at_nine(monkeypatch):
    class Nine(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2024, 1, 1, 9, tzinfo=tz)

    monkeypatch.setattr(clock.datetime, "datetime", Nine)
    assert clock.greeting() == "Good morning"


def test_expired_long_ago():
    assert not clock.is_valid(datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC))


def test_valid_for_an_hour():
    later = datetime.datetime.now(datetime.UTC) + timedelta(hours=1)
    assert clock.is_valid(later)


@pytest.mark.parametrize("day", [date(2024, 1, 31), date(2023, 12, 31)])
def test_anniversary_of_a_day(day):
    assert clock.anniversary(day).day == 31


def test_invoices_never_go_back():
    assert int(clock.invoice_number()) <= int(clock.invoice_number())


def test_stamp_can_be_read():
    assert datetime.datetime.fromisoformat(clock.stamp()).year >= 2024
