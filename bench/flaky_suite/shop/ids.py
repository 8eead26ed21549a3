"""Identifiers and codes."""

import random
import secrets
import string
import uuid


def coupon(length=4):
    return "".join(random.choice(string.ascii_uppercase) for _ in range(length))


def pin():
    return f"{secrets.randbelow(10000):d}"


def order_id():
    return uuid.uuid4().hex[:4]


def pick_winner(names):
    return random.choice(names)


def shuffled(items):
    items = list(items)
    random.shuffle(items)
    return items
