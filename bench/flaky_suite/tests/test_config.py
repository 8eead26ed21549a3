"""Settings: who changes them, who reads them."""

import os

import pytest

from shop import config


def test_debug_can_be_switched_on():
    config.DEBUG = True
    assert config.DEBUG


def test_ships_without_debug():
    assert config.DEBUG is False


def test_database_from_environment():
    os.environ["SHOP_DATABASE"] = "postgresql://db"
    assert config.database_url() == "postgresql://db"


def test_database_default():
    assert config.database_url() == "sqlite://"


def test_coupon_limit_can_be_raised():
    config.LIMITS["coupons"] = 5
    assert config.LIMITS["coupons"] == 5


def test_coupon_limit():
    assert config.LIMITS["coupons"] == 2


def test_feature_is_added():
    config.FEATURES.append("wishlist")
    assert config.is_enabled("wishlist")


def test_no_wishlist_yet():
    assert not config.is_enabled("wishlist")


def test_data_folder_follows(tmp_path):
    os.chdir(tmp_path)
    assert config.data_folder() == str(tmp_path / "data")


def test_settings_file_is_found():
    assert os.path.exists("pytest.ini")


def test_debug_in_a_patch(monkeypatch):
    monkeypatch.setattr(config, "DEBUG", True)
    assert config.DEBUG


def test_database_in_a_patch(monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE", "mysql://")
    assert config.database_url().startswith("mysql")


def test_limits_in_a_patch(monkeypatch):
    monkeypatch.setitem(config.LIMITS, "items", 99)
    assert config.LIMITS["items"] == 99


@pytest.mark.parametrize("name", ["search"])
def test_built_in_features(name):
    assert config.is_enabled(name)


def test_folder_in_a_patch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.data_folder().endswith("data")


def test_currency_is_dollar():
    config.CURRENCY = "USD"
    try:
        assert config.CURRENCY == "USD"
    finally:
        config.CURRENCY = "EUR"
