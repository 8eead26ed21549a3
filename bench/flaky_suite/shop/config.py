"""Settings of the process."""

import os

DEBUG = False
CURRENCY = "EUR"
LIMITS = {"items": 10, "coupons": 2}
FEATURES = ["search"]


def database_url():
    return os.environ.get("SHOP_DATABASE", "sqlite://")


def is_enabled(name):
    return name in FEATURES


def data_folder():
    return os.path.join(os.getcwd(), "data")
