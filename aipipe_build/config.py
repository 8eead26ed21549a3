"""The table ``build``: read from the file, the environment and flags, every key known."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from aipipe_core.config import room_table
from aipipe_core.config.kinds import Number, Text, Texts, ValueKind, Wrong
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "AIPIPE_BUILD_"
SEVERITIES = ("low", "medium", "high", "critical")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes: ``500MB``, ``1.5GiB``."""

    label: str = "a size such as 500MB"

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]i?)?b?", str(value).strip().lower())
        if isinstance(value, bool) or not found:
            raise Wrong(f"must be {self.label}, not {value!r}")
        return int(float(found[1]) * _UNITS[found[2] or ""])


@dataclass(frozen=True, slots=True)
class Argv:
    """A command: a line for the image's shell, or a list of words that needs no shell."""

    label: str = "a command line or a list of words"

    def read(self, value: object) -> object:
        """See :class:`ValueKind`."""
        if isinstance(value, str) and value.strip():
            return ("sh", "-c", value)
        if isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise Wrong(f"must be {self.label}, not {value!r}")


def _key(kind: ValueKind, default: object) -> Any:
    return field(default=default, metadata={"kind": kind})


@dataclass(frozen=True, slots=True)
class Ignored:
    """An advisory that somebody has looked at: why it does not count, and until when."""

    advisory: str
    reason: str
    until: dt.date
    package: str = ""


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """What ``[build]`` says. ``max_size`` is in bytes."""

    smoke: tuple[str, ...] = _key(Argv(), ())
    smoke_seconds: float = _key(Number(1), 30.0)
    max_size: int = _key(Size(), 500 * 10**6)
    replay: int = _key(Number(0, 1000, whole=True), 20)
    advisories: tuple[str, ...] = _key(Texts(), ())
    severity: str = _key(Text(SEVERITIES), "high")
    max_age_days: float = _key(Number(0), 14.0)
    scanners: tuple[str, ...] = _key(Texts(("auto", "none", "trivy", "grype")), ("auto",))
    ignore: tuple[Ignored, ...] = ()
    where: str = ""


_KINDS: dict[str, ValueKind] = {
    one.name: one.metadata["kind"] for one in fields(BuildConfig) if "kind" in one.metadata
}


def load_config(
    root: Path, *, environ: Mapping[str, str], flags: Mapping[str, object]
) -> BuildConfig:
    """Return the settings of the project at ``root``; later wins: file, environment, flag.

    Raises ``unknown-setting``, ``wrong-setting`` and those of the core's reader.
    """
    where, table = room_table(root, "build")
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name != "ignore":
            values[name] = _checked(name, value, f"{where}, build")
    for name, kind in _KINDS.items():
        if (text := environ.get(PREFIX + name.upper())) is not None:
            values[name] = _read(kind, name, text, "the environment")
        if flags.get(name) is not None:
            values[name] = _read(kind, name, flags[name], "the flag")
    ignored = tuple(_ignored(row, where) for row in _rows(table.get("ignore", []), where))
    return BuildConfig(**values, ignore=ignored, where=where)


def _checked(name: str, value: object, where: str) -> object:
    if name not in _KINDS:
        near = difflib.get_close_matches(name, [*_KINDS, "ignore"], n=1, cutoff=0.0)
        raise RequestError(
            "unknown-setting", f"{name!r} is no setting of aipipe", where=where,
            hint=f"Did you mean {near[0]!r}?",
        )  # fmt: skip
    return _read(_KINDS[name], name, value, where)


def _read(kind: ValueKind, name: str, value: object, where: str) -> object:
    try:
        return kind.read(value)
    except Wrong as error:
        raise _wrong(f"{name} {error}", where) from error


def _rows(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _wrong("ignore must be a list of tables", where)
    return value


def _ignored(row: Mapping[str, Any], where: str) -> Ignored:
    """Return one entry: what is ignored without a reason or for ever is forgotten, not judged."""
    unknown = set(row) - {"id", "reason", "until", "package"}
    if unknown:
        raise _wrong(f"ignore knows no {min(unknown)!r}", where)
    advisory, reason, until = row.get("id"), row.get("reason"), row.get("until")
    if isinstance(until, str):
        try:
            until = dt.date.fromisoformat(until)
        except ValueError as error:
            raise _wrong(
                f"ignore.until must be a day such as 2030-01-31, not {until!r}", where
            ) from error
    if isinstance(until, dt.datetime):
        until = until.date()
    if not isinstance(advisory, str) or not advisory:
        raise _wrong("each entry of ignore needs an id", where)
    if not isinstance(reason, str) or not reason.strip():
        raise _wrong(f"ignore of {advisory} needs a reason", where)
    if not isinstance(until, dt.date):
        raise _wrong(f"ignore of {advisory} needs until, the day on which it ends", where)
    return Ignored(advisory, reason.strip(), until, str(row.get("package") or ""))


def _wrong(what: str, where: str) -> RequestError:
    return RequestError("wrong-setting", what, where=where, hint="Correct it, or leave it out.")
