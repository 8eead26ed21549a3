"""The experiments: what is varied, over which values, for which tests."""

from __future__ import annotations

import calendar
import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_aipipe.flaky.causes import Cause
from pytest_aipipe.flaky.condition import DAY, Condition

Touched = Mapping[str, Any]
Applies = Callable[[Touched], bool]


def always(_: Touched) -> bool:
    """Whether every test is worth it: yes."""
    return True


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of one knob. ``condition`` None: the pinned child serves, with ``knobs``."""

    cause: Cause
    words: str
    condition: Condition | None = None
    knobs: Mapping[str, Any] = field(default_factory=dict)
    applies: Applies = always
    twice: bool = False  # the second of two runs that share their files is the one that counts
    schedule: bool = False  # a delay; it need not strike each time
    screened: bool = False  # only for tests whose verdict turned in a screen or by itself

    @property
    def straddles(self) -> bool:
        """Whether two readings of its clock lie on both sides of an end: of a second, a day."""
        return "clock_step" in (self.condition.knobs if self.condition else self.knobs)


def settings(pinned: Condition, at_import: Mapping[str, int], scratch: Path) -> list[Setting]:
    """Return every setting, the cheap ones first."""
    return [
        *_in_forks(),
        *_listings(),
        *_zones(),
        *_clocks(pinned, everywhere=at_import.get("clock", 0) > 0),
        *_hash_seeds(pinned),
        *_locales(pinned, scratch),
        *_seeds_at_import(pinned, drawn=at_import.get("entropy", 0) > 0),
    ]


def screens() -> list[dict[str, Any]]:
    """Return knobs to turn together: a verdict that no screen turns, none of them turns.

    R. Dorfman, The Detection of Defective Members of Large Populations (Ann. Math. Statist.
    14, 1943): what is rare is looked for in groups.
    """
    limits = ("files", "one-cpu", "memory", "files+one-cpu+memory")
    rows = zip(HEAPS, zones(), limits, strict=False)
    return [{"heap": heap, "zone": zone, "limit": limit} for heap, zone, limit in rows]


def zones() -> tuple[str, ...]:
    """Return zones far apart, by the names that this system knows."""
    have = os.path.isdir("/usr/share/zoneinfo/Pacific")  # noqa: PTH112
    return ZONES if have else POSIX_ZONES


def _in_forks() -> list[Setting]:
    found = [
        Setting(Cause.FILES, "run again on the files of the run before",
                applies=lambda t: bool(t.get("written")), twice=True),
        Setting(Cause.PORTS, "its port taken by another socket", knobs={"ports": "taken"},
                applies=lambda t: bool(t.get("ports"))),
        Setting(Cause.NETWORK, "no network", knobs={"network": "cut"}, applies=_remote),
        Setting(Cause.NETWORK, "a network that answers", knobs={"network": "join"},
                applies=_remote),
    ]  # fmt: skip
    found += [
        Setting(
            Cause.RANDOMNESS,
            f"random seed {seed}",
            knobs={"entropy": seed},
            applies=lambda t: bool(t.get("entropy")),
        )
        for seed in range(2, 42)
    ]
    found += [
        Setting(
            Cause.UNORDERED,
            f"objects at other addresses ({seed})",
            knobs={"heap": seed},
            screened=True,
        )
        for seed in HEAPS
    ]
    found += [
        Setting(Cause.RESOURCES, words, knobs={"limit": kind}, screened=True)
        for kind, words in (
            ("files", "at most 256 open files"),
            ("memory", "256 MB more memory and no more"),
            ("one-cpu", "a single processor"),
        )
    ]
    return [*found, *_delays()]


def _delays() -> list[Setting]:
    rows: list[tuple[str, str, Applies, int]] = [
        ("late-threads", "threads that start 0.2 s late", _threads, 1),
        ("late-sleeps", "threads that oversleep", _threads, 2),
        ("opcodes", "threads that are interrupted at any instruction", _threads, 4),
        ("late-timers", "timers of the event loop that are late", _loops, 4),
        ("slow-main", "a processor that is slow at every line", _waits, 2),
        ("slow-lines", "a processor that halts for 60 ms at a line", _waits, 1),
    ]
    return [
        Setting(
            Cause.CONCURRENCY,
            words,
            knobs={"delay": kind, "delay_seed": seed},
            applies=applies,
            schedule=True,
        )
        for kind, words, applies, seeds in rows
        for seed in range(1, seeds + 1)
    ]


def _remote(touched: Touched) -> bool:
    return bool(touched.get("hosts"))


def _threads(touched: Touched) -> bool:
    return bool(touched.get("threads"))


def _loops(touched: Touched) -> bool:
    return bool(touched.get("loops"))


def _waits(touched: Touched) -> bool:
    names = ("threads", "loops", "processes", "sleeps", "timers", "clock")
    return any(touched.get(name) for name in names)


def _listings() -> list[Setting]:
    words = {1: "folders listed sorted", 2: "folders listed in reverse",
             3: "folders listed in another order"}  # fmt: skip
    return [
        Setting(
            Cause.UNORDERED,
            told,
            knobs={"listing": seed},
            applies=lambda t: bool(t.get("listings")),
        )
        for seed, told in words.items()
    ]


def _hash_seeds(pinned: Condition) -> list[Setting]:
    return [
        Setting(
            Cause.HASH_SEED,
            f"PYTHONHASHSEED={seed}",
            pinned.but(f"hash seed {seed}", {"PYTHONHASHSEED": str(seed)}),
            screened=True,
        )
        for seed in HASH_SEEDS
    ]


HASH_SEEDS = (1, 2, 3, 5, 8, 13, 101)
HEAPS = (1, 2, 3, 4, 5, 6)
ZONES = ("Pacific/Kiritimati", "Pacific/Honolulu", "America/New_York", "Asia/Kolkata")
POSIX_ZONES = ("LINT-14", "HST10", "EST5EDT,M3.2.0,M11.1.0", "IST-5:30")


def _zones() -> list[Setting]:
    return [
        Setting(Cause.TIME_ZONE, f"TZ={zone}", knobs={"zone": zone}, screened=True)
        for zone in zones()
    ]


def _clocks(pinned: Condition, *, everywhere: bool) -> list[Setting]:
    noon = pinned.knobs["clock"]
    rows: list[tuple[str, dict[str, Any]]] = [
        ("on a whole second", {"clock": noon // 1}),
        ("just before a second ends, 15 ms at a reading",
         {"clock": noon // 1 + 0.99, "clock_step": 0.015}),
        ("a clock that ticks every 16 ms", {"clock_coarse": 0.016}),
        ("at 23:59:59.99 on New Year's Eve",
         {"clock": _next(noon, 12, 31) + DAY - 0.01, "clock_step": 0.015}),
        ("at 23:59:59.975", {"clock": noon // DAY * DAY + DAY - 0.025, "clock_step": 0.015}),
        ("just after midnight", {"clock": noon // DAY * DAY + 1.25}),
        ("at 3 in the morning", {"clock": noon // DAY * DAY + 3 * 3600 + 61.5}),
        ("at 9 in the morning", {"clock": noon // DAY * DAY + 9 * 3600 + 5 * 60 + 3.5}),
        ("at 18 o'clock", {"clock": noon // DAY * DAY + 18 * 3600 + 30 * 60 + 9.75}),
        ("in the last hour of a day", {"clock": noon // DAY * DAY + 23.5 * 3600}),
        ("on the first day of a month", {"clock": _next(noon, None, 1) + 9 * 3600.1}),
        ("on the 31st", {"clock": _next(noon, 1, 31) + 10 * 3600.1}),
        ("on the 29th of February", {"clock": _leap(noon) + 10 * 3600.1}),
        ("in a year", {"clock": noon + 365 * DAY}),
        ("in ten years", {"clock": noon + 3653 * DAY}),
    ]  # fmt: skip
    rows += [(f"in {days} days", {"clock": noon + days * DAY}) for days in (1, 2, 3, 4, 5, 6, 45)]
    if everywhere:  # what is read while modules are imported has to see the same time
        return [
            Setting(Cause.CLOCK, f"the clock {words}", pinned.but(words, **knobs))
            for words, knobs in rows
        ]
    return [
        Setting(
            Cause.CLOCK, f"the clock {words}", knobs=knobs, applies=lambda t: bool(t.get("clock"))
        )
        for words, knobs in rows
    ]


def _next(after: float, month: int | None, day: int) -> float:
    """Return the next midnight (UTC) of that day of that month, of any month for None."""
    from datetime import UTC, datetime, timedelta

    now = datetime.fromtimestamp(after // DAY * DAY, UTC) + timedelta(days=1)
    while now.day != day or (month is not None and now.month != month):
        now += timedelta(days=1)
    return now.timestamp()


def _leap(after: float) -> float:
    from datetime import UTC, datetime

    year = datetime.fromtimestamp(after, UTC).year + 1
    while not calendar.isleap(year):
        year += 1
    return datetime(year, 2, 29, tzinfo=UTC).timestamp()


def _locales(pinned: Condition, scratch: Path) -> list[Setting]:
    ascii_only = {
        "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": None,
    }  # fmt: skip
    found = [
        Setting(Cause.LOCALE, "LC_ALL=C without UTF-8", pinned.but("ascii locale", ascii_only))
    ]
    for name in ("de_DE",):
        folder = _made(name, scratch)
        if folder is not None:
            env = {"LC_ALL": f"{name}.UTF-8", "LANG": f"{name}.UTF-8", "LOCPATH": folder}
            found.append(Setting(Cause.LOCALE, f"LC_ALL={name}.UTF-8", pinned.but(name, env)))
    return found


@functools.cache
def _made(name: str, scratch: Path) -> str | None:
    """Return a folder that holds the locale, None where it can neither be found nor made."""
    maker = shutil.which("localedef")
    if maker is None or not Path("/usr/share/i18n/locales", name).exists():
        return None
    folder = scratch / "locales"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [maker, "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")],
        capture_output=True,
        check=False,
    )
    return str(folder) if done.returncode == 0 else None


def _seeds_at_import(pinned: Condition, *, drawn: bool) -> list[Setting]:
    if not drawn:
        return []
    return [
        Setting(Cause.RANDOMNESS, f"random seed {seed} from the start",
                pinned.but(f"seed {seed}", entropy=seed), screened=True)
        for seed in (7, 8, 9, 10)
    ]  # fmt: skip
