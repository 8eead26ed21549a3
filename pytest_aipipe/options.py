"""The options: their values, once checked. :mod:`pytest_aipipe.flags` has their table.

Standard library and pytest only. Every wrong value is a :class:`pytest.UsageError` of one
line that says what, what to do, and a slug that ``docs/errors.md`` explains.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.flags import OFF, REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Layers = tuple["Mapping[str, Any]", "Mapping[str, Any]"]

ENGINES = ("auto", "local", "llm", "none")
SANDBOXES = ("auto", "require", "off")
SENDS = ("diff", "signatures", "none")  # the first is the default
ON = ("on", "true", "yes", "1")
MAX_RERUNS = 10_000


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One ``--ai-report``: a type, and where to. ``dest`` None is the type's own place."""

    type: str
    dest: Path | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, checked as far as the command line alone can tell."""

    spec: str | None
    reports: tuple[ReportRequest, ...] = (ReportRequest("term"),)
    engines: tuple[str, ...] = ("auto",)
    budget: float = 60.0
    write: bool = False
    write_dir: Path | None = None
    fail_under: float | None = None
    behavior: bool = True
    accept: str | None = None  # which catching tests to accept: "" is all
    select: bool = True
    flaky_reruns: int = 10
    flaky_hunt: float | None = None
    """Minutes to hunt for; ``inf`` is as long as it takes, None is not at all."""
    flaky_fix: bool = False
    sandbox: str = "auto"
    send: str = "diff"
    max_cost: str = ""
    max_tokens: str = ""


def bad(slug: str, what: str, hint: str) -> pytest.UsageError:
    """Return a usage error in our one-line form."""
    line = " ".join(f"{what}. {hint}".split())
    return pytest.UsageError(f"{line} [{slug}]")


def read(config: pytest.Config, layers: Layers = ({}, {})) -> Options:
    """Return the checked options of ``config``.

    ``layers`` are the texts that the configuration file and the environment give, by ini
    name. The later wins: file, ini twin, environment, flag.
    """
    known = config.known_args_namespace
    origin = Path(config.invocation_params.dir)
    file, environment = layers

    def below(name: str) -> Any:
        return environment.get(name) or config.getini(name) or file.get(name)

    def value(name: str) -> Any:
        flag = getattr(known, name, None)
        return flag if flag is not None else below(name)

    write, write_dir = _write(known.ai_write, below("ai_write"), config.rootpath, origin)
    return Options(
        spec=_spec(known.ai_diff, config.getini("ai_diff")),
        reports=_reports(value("ai_report"), origin),
        engines=_engines(value("ai_engine")),
        budget=_with(value("ai_budget"), _budget, 60.0),
        write=write,
        write_dir=write_dir,
        fail_under=_with(value("ai_fail_under"), _percent, None),
        behavior=_switch("behavior", value("ai_behavior")),
        accept=_accept(known.ai_behavior_accept, config.getini("ai_behavior_accept")),
        select=_switch("select", value("ai_select")),
        flaky_reruns=_with(value("ai_flaky_reruns"), _reruns, 10),
        flaky_hunt=_with(value("ai_flaky_hunt"), _minutes, None),
        flaky_fix=_switch("flaky-fix", value("ai_flaky_fix") or "off"),
        sandbox=_choice("sandbox", value("ai_sandbox"), SANDBOXES),
        send=_choice("send", value("ai_send"), SENDS),
        max_cost=_with(value("ai_max_cost"), partial(_cap, "max-cost"), ""),
        max_tokens=_with(value("ai_max_tokens"), partial(_cap, "max-tokens"), ""),
    )


def _with(text: str | None, convert: Callable[[str], Any], default: Any) -> Any:
    return default if text is None else convert(str(text).strip())


def _spec(flag: str | None, twin: str | None) -> str | None:
    if flag is None:
        text = (twin or "").strip()
        return None if text.lower() in ON else text
    if "\0" in flag or "\n" in flag or flag != flag.strip():
        raise bad("bad-spec", f"--ai-diff={flag!r} is not a revision", "Give one without spaces.")
    if flag.startswith("-"):
        raise bad("bad-spec", f"--ai-diff={flag} is not a revision", "It begins with a dash.")
    return flag or None


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise bad(
            f"bad-{name}", f"--ai-{name}={text} is not a number", f"Write --ai-{name}=60."
        ) from None
    return number


def _budget(text: str) -> float:
    number = _number("budget", text)
    if number < 0:
        raise bad(
            "bad-budget", f"--ai-budget={text} is negative", "Give seconds; 0 generates nothing."
        )
    return number


def _percent(text: str) -> float:
    number = _number("fail-under", text.removesuffix("%"))
    if not 0 <= number <= 100:  # noqa: PLR2004 - a percentage
        raise bad("bad-fail-under", f"--ai-fail-under={text} is no percentage", "Give 0 to 100.")
    return number


def _reruns(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > MAX_RERUNS:
        raise bad(
            "bad-flaky-reruns",
            f"--ai-flaky-reruns={text} is no count",
            f"Give a whole number from 0 to {MAX_RERUNS}.",
        )
    return int(text)


def _cap(name: str, text: str) -> str:
    if not re.fullmatch(r"\$?[\d._]*(/\$?[\d._]+)?", text, re.ASCII):
        raise bad(
            f"bad-{name}", f"--ai-{name}={text} is no cap", "Write a number, or RUN/DAY: 0.50/5."
        )
    return text


def _minutes(text: str) -> float | None:
    word = text.lower()
    if word in ("", *ON, *OFF):
        return math.inf if word in ON and word != "1" else (1.0 if word == "1" else None)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number <= 0:
        hint = "Write --ai-flaky-hunt for as long as it takes, or --ai-flaky-hunt=5."
        raise bad("bad-flaky-hunt", f"--ai-flaky-hunt={text} is no number of minutes", hint)
    return number


def _switch(name: str, text: str | None) -> bool:
    word = "on" if text is None else text.strip().lower()
    if word not in (*ON, *OFF):
        raise bad(f"bad-{name}", f"--ai-{name}={text} is neither on nor off", "Write on or off.")
    return word in ON


def _accept(flag: str | None, twin: str | None) -> str | None:
    """Return the name of what is to be accepted, "" for all, None for nothing."""
    if flag is not None:
        return flag.strip()
    text = (twin or "").strip()
    if text.lower() in ("", *OFF):
        return None
    return "" if text.lower() in ON else text


def _choice(name: str, text: str | None, choices: tuple[str, ...]) -> str:
    word = choices[0] if text is None else text.strip().lower()
    if word not in choices:
        raise bad(f"bad-{name}", f"--ai-{name}={text} is unknown", f"Choose {', '.join(choices)}.")
    return word


def _engines(text: str | None) -> tuple[str, ...]:
    """Return the ordered names; whether they exist is known once conftests are loaded."""
    names = tuple(part.strip() for part in ("auto" if text is None else text).split(","))
    if not all(names):
        raise bad("bad-engine", f"--ai-engine={text} has an empty name", "Write e.g. local,llm.")
    if len(set(names)) != len(names):
        raise bad("bad-engine", f"--ai-engine={text} names one twice", "Name each engine once.")
    if "none" in names and len(names) > 1:
        raise bad("bad-engine", f"--ai-engine={text} asks for none and more", "none stands alone.")
    return names


def _write(
    flag: str | None, twin: str | None, rootdir: Path, origin: Path
) -> tuple[bool, Path | None]:
    """Return whether to keep the tests, and where. A path that is no flag's counts from rootdir."""
    if flag is None:
        twin = (twin or "").strip()
        if not twin or twin.lower() in OFF:
            return False, None
        return (True, None) if twin.lower() in ON else (True, rootdir / twin)
    if flag == "":
        return True, None
    if "\0" in flag or not flag.strip():
        raise bad("bad-write", f"--ai-write={flag!r} is not a folder", "Write --ai-write=DIR.")
    return True, origin / flag


def _reports(texts: list[str] | None, origin: Path) -> tuple[ReportRequest, ...]:
    requests = [_report(text.strip(), origin) for text in texts or ["term"]]
    places = [request.dest for request in requests if request.dest is not None]
    for place in places:
        if places.count(place) > 1:
            raise bad("report-twice", f"two reports go to {place}", "Give each --ai-report a DEST.")
    return tuple(dict.fromkeys(requests))


def _report(text: str, origin: Path) -> ReportRequest:
    kind, colon, dest = text.partition(":")
    if kind not in REPORTS:
        raise bad(
            "bad-report", f"--ai-report={text} has an unknown type", f"Choose {', '.join(REPORTS)}."
        )
    if not colon:
        return ReportRequest(kind)
    if not dest.strip() or "\0" in dest:
        raise bad("bad-report", f"--ai-report={text} has an empty DEST", f"Write {kind}:FILE.")
    place = Path(os.path.abspath(origin / Path(dest).expanduser()))  # noqa: PTH100 - keeps links
    _check_dest(text, place)
    return ReportRequest(kind, place)


def _check_dest(text: str, place: Path) -> None:
    """Raise when a report cannot be written to ``place``, or should not be."""
    if place.is_dir():
        raise bad("bad-report", f"--ai-report={text}: {place} is a folder", "Name a file in it.")
    if place.exists() and place.suffix in (".py", ".pyi", ".toml", ".cfg", ".ini"):
        raise bad(
            "report-over-source", f"--ai-report={text} would overwrite {place}", "Name another."
        )
    parent = next(folder for folder in place.parents if folder.exists())
    if not parent.is_dir():
        raise bad("bad-report", f"--ai-report={text}: {parent} is a file", "Name another place.")
    if not os.access(place if place.exists() else parent, os.W_OK):
        raise bad(
            "report-unwritable", f"--ai-report={text}: no leave to write there", "Name another."
        )
