"""The causes by name, and which of several explanations is the one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_aipipe.flaky.verdict import Verdict


class Cause(StrEnum):
    """Why a verdict changes while nothing of the code did."""

    ORDER = "order"
    DOUBLE = "test-double"
    HASH_SEED = "hash-seed"
    UNORDERED = "unordered-collection"
    CLOCK = "clock"
    TIME_ZONE = "time-zone"
    RANDOMNESS = "randomness"
    CONCURRENCY = "concurrency"
    ASYNC = "async"
    NETWORK = "network"
    FILES = "leftover-files"
    PORTS = "ports"
    RESOURCES = "resources"
    FLOAT = "floating-point"
    LOCALE = "locale"
    UNKNOWN = "unknown"


WORDS = {
    Cause.ORDER: "depends on the tests before it",
    Cause.DOUBLE: "a test double that another test does not undo",
    Cause.HASH_SEED: "depends on the hash seed: a set of strings has no order",
    Cause.UNORDERED: "depends on the order of a collection that has none",
    Cause.CLOCK: "depends on the wall clock",
    Cause.TIME_ZONE: "depends on the time zone",
    Cause.RANDOMNESS: "depends on chance that is not seeded",
    Cause.CONCURRENCY: "depends on how threads or processes are scheduled",
    Cause.ASYNC: "depends on how tasks and timers are scheduled",
    Cause.NETWORK: "depends on the network",
    Cause.FILES: "depends on files that an earlier run left",
    Cause.PORTS: "needs a fixed port that may be taken",
    Cause.RESOURCES: "depends on the machine: its files, memory, processors or speed",
    Cause.FLOAT: "compares floating-point results exactly",
    Cause.LOCALE: "depends on the locale",
    Cause.UNKNOWN: "the verdict changes; no experiment shows why",
}

RANK = (
    Cause.PORTS, Cause.FILES, Cause.NETWORK, Cause.LOCALE, Cause.UNORDERED, Cause.HASH_SEED,
    Cause.RANDOMNESS, Cause.CLOCK, Cause.TIME_ZONE, Cause.ASYNC, Cause.CONCURRENCY,
    Cause.RESOURCES,
)  # fmt: skip
"""Where several knobs turn a verdict, the narrower one explains more: a listing in another
order says more than another hash seed, for which everything else moves as well."""

_TIMEOUTS = ("TimeoutError", "timeout", "ConnectionError", "gaierror", "URLError", "HTTPException")
_REFUSED = ("ConnectionRefusedError", "ConnectionResetError")


def refine(cause: Cause, failure: Verdict) -> Cause:
    """Return the cause that a look at the failure itself narrows ``cause`` down to."""
    kind = failure.compare.get("kind")
    chance = (Cause.HASH_SEED, Cause.UNORDERED, Cause.RANDOMNESS, Cause.CONCURRENCY, Cause.ASYNC)
    if kind == "float" and cause in chance:
        return Cause.FLOAT
    touched = failure.touched
    waits = cause in (Cause.CONCURRENCY, Cause.ASYNC, Cause.RESOURCES)
    if waits and touched.get("local") and {*failure.types, *failure.mro} & set(_TIMEOUTS):
        return cause if {*failure.types} & set(_REFUSED) else Cause.NETWORK
    return cause


def of_schedule(failure: Verdict) -> Cause:
    """Return which cause a verdict has that a delay changes, by what the test uses."""
    touched = failure.touched
    if touched.get("loops"):
        return Cause.ASYNC
    if touched.get("threads") or touched.get("processes"):
        return Cause.CONCURRENCY
    return Cause.RESOURCES


def is_offline(failure: Verdict) -> bool:
    """Whether a test fails because another machine did not answer."""
    network = {*_TIMEOUTS, *_REFUSED, "OSError", "timeout"}
    return bool(failure.touched.get("hosts")) and bool({*failure.types, *failure.mro} & network)
