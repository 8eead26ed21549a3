"""Reports and their words."""

import locale
import os
import time


def number(value):
    locale.setlocale(locale.LC_ALL, "")
    try:
        return locale.format_string("%.2f", value, grouping=True)
    finally:
        locale.setlocale(locale.LC_ALL, "C")


def month_name(month):
    locale.setlocale(locale.LC_ALL, "")
    try:
        return time.strftime("%B", (2024, month, 1, 0, 0, 0, 0, 1, 0))
    finally:
        locale.setlocale(locale.LC_ALL, "C")


def workers():
    return max(os.cpu_count() - 1, 1) if os.cpu_count() > 1 else 0


def render_rows(count):
    return [f"row {index}" for index in range(count)]


def busy(rounds):
    total = 0
    for index in range(rounds):
        total += index % 7
        total ^= 3
    return total
