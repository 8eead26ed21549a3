"""Read the settings: defaults, then the file, then the environment, then flags."""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any

from aipipe_core.config.kinds import Wrong
from aipipe_core.config.settings import PREFIX, Settings, Source, build, keys, tables
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

OWN_FILE = "aipipe.toml"
SHARED_FILE = "pyproject.toml"

ROOMS = ("build", "deploy", "notify")
"""Tables that belong to one of the commands, which reads and checks its own."""

NEAR = 0.8
"""How like a known variable an unknown ``AIPIPE_*`` must be to be taken for a slip of it.
Less alike, it is somebody else's: a deploy script may well export ``AIPIPE_RELEASE``."""


def load(root: Path, *, environ: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """Return the settings for the project at ``root``; the later layer wins.

    ``flags`` maps dotted names to values or text; None is a flag that was not given. Raises
    ``RequestError``: ``config-twice``, ``config-unreadable``, ``config-not-toml``,
    ``unknown-setting``, ``wrong-setting``.
    """
    values: dict[str, object] = {}
    sources: dict[str, Source] = {}
    name, content = _file(root)
    layers = [
        ("file", name, _flatten(content, name)),
        ("environment", "", _from_environment(environ)),
        ("flag", "", {key: value for key, value in flags.items() if value is not None}),
    ]
    for layer, where, found in layers:
        checked = _checked(found, layer, where)
        values |= checked
        sources |= {key: Source(layer, where or _spelled(layer, key)) for key in checked}
    return _consistent(build(values, sources))


def room_table(root: Path, room: str) -> tuple[str, dict[str, Any]]:
    """Return the file that configures ``room``, and its unchecked table there.

    Raises ``RequestError``: ``config-twice``, ``config-unreadable``, ``config-not-toml``,
    ``wrong-setting``.
    """
    name, content = _file(root)
    table = content.get(room, {})
    if not isinstance(table, dict):
        raise _wrong(name, room, "must be a table")
    return name, table


def _file(root: Path) -> tuple[str, dict[str, Any]]:
    """Return the file that configures the project, and what it says."""
    own = _toml(root / OWN_FILE)
    tool = (_toml(root / SHARED_FILE) or {}).get("tool", {})
    shared = tool.get("aipipe") if isinstance(tool, dict) else None
    if own is not None and shared is not None:
        raise RequestError(
            "config-twice",
            f"Both {OWN_FILE} and [tool.aipipe] in {SHARED_FILE} configure this project",
            where=str(root),
            hint="Keep one of them.",
        )
    if own is not None:
        return OWN_FILE, own
    if shared is not None and not isinstance(shared, dict):
        raise _wrong(SHARED_FILE, "tool.aipipe", "must be a table")
    return SHARED_FILE, shared or {}


def _toml(path: Path) -> dict[str, Any] | None:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(
            "config-unreadable",
            f"{path.name} cannot be read: {_reason(error)}",
            where=str(path),
            hint="It must be a readable file in UTF-8.",
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(
            "config-not-toml",
            f"{path.name} is not valid TOML: {error}",
            where=str(path),
            hint="Mend it there.",
        ) from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return error.strerror or type(error).__name__


def _flatten(content: Mapping[str, Any], where: str) -> dict[str, object]:
    """Return the keys of our tables under dotted names; what is no table stays a value."""
    known = tables()
    found: dict[str, object] = {}
    for name, value in content.items():
        if name in ROOMS:
            continue
        if name in known and not isinstance(value, dict):
            raise _wrong(where, name, "must be a table")
        if name in known:
            found |= {f"{name}.{inner}": item for inner, item in value.items()}
        else:
            found[name] = value
    return found


def _names() -> list[str]:
    return [key.name for key in keys()]


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    known = {key.environment: key.name for key in keys()}
    found: dict[str, object] = {}
    for variable, value in environ.items():
        if variable in known:
            found[known[variable]] = value
        elif variable.startswith(PREFIX):
            near = difflib.get_close_matches(variable, known, n=1, cutoff=NEAR)
            if near:
                raise _unknown("the environment", variable, known)
    return found


def _checked(found: Mapping[str, object], layer: str, where: str) -> dict[str, object]:
    known = {key.name: key for key in keys()}
    checked: dict[str, object] = {}
    for name, value in found.items():
        place = where or f"the {layer}"
        if name not in known:
            raise _unknown(place, name)
        try:
            checked[name] = known[name].kind.read(value)
        except Wrong as error:
            raise _wrong(place, _spelled(layer, name), str(error)) from error
    return checked


def _spelled(layer: str, name: str) -> str:
    """Return ``name`` as a user of this layer writes it."""
    if layer == "environment":
        return PREFIX + name.replace(".", "_").upper()
    return f"--{name.replace('.', '-').replace('_', '-')}" if layer == "flag" else name


def _unknown(where: str, name: str, known: Iterable[str] | None = None) -> RequestError:
    names = list(known or [*_names(), *tables(), *ROOMS])
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    return RequestError(
        "unknown-setting",
        f"{name!r} is no setting of aipipe",
        where=where,
        hint=f"Did you mean {near[0]!r}?" if near else "",
    )


def _wrong(where: str, name: str, why: str) -> RequestError:
    return RequestError(
        "wrong-setting", f"{name} {why}", where=where, hint="Correct it, or leave it out."
    )


def _consistent(settings: Settings) -> Settings:
    """Return ``settings``, or raise where two of them contradict each other."""
    if settings.risk.medium > settings.risk.high:
        where = settings.source("risk.high")
        raise _wrong(str(where), "risk.high", "must not lie below risk.medium")
    return settings
