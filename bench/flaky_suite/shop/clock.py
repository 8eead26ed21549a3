"""Everything about days and hours."""

import datetime
import time
from datetime import date, timedelta


def greeting():
    hour = datetime.datetime.now().hour
    if hour < 12:
        return "Good morning"
    return "Good afternoon" if hour < 18 else "Good evening"


def delivery_day(days=1):
    return date.today() + timedelta(days=days)


def is_open():
    return date.today().weekday() < 5


def stamp():
    return datetime.datetime.now().isoformat()


def invoice_number():
    return f"{int(time.time())}"


def local_day(seconds):
    return date.fromtimestamp(seconds)


def local_hour(seconds):
    return time.localtime(seconds).tm_hour


def is_valid(expires):
    return datetime.datetime.now(datetime.UTC) < expires


def anniversary(day):
    return day.replace(year=day.year + 1)
