"""The ``--mount`` options of RUN."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.light import light

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})
_BARE_TRUE = frozenset({"readonly", "ro", "readwrite", "rw", "required"})
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


@light()
class Mount:
    """One mount, with the defaults of its kind filled in."""

    kind: str = "bind"
    source_stage: str = ""
    source: str = ""
    target: str = ""
    readonly: bool = True
    size: int = 0
    identity: str = ""
    sharing: str = ""
    required: bool = False
    env: str | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


def mount_sources(option: str) -> tuple[str, str]:
    """Return the kind and the ``from`` of a mount before any variable is expanded."""
    kind, source = "bind", ""
    for name, value in _fields(option, 0):
        if name == "from":
            if value is not None and re.search(r"\$.", value):
                raise DockerfileError(
                    "'from' doesn't support variable expansion",
                    hint="Define an alias stage instead.",
                )
            source = value or ""
        elif name == "type":
            kind = value or ""
    return kind, source


def parse_mount(option: str, expand: Callable[[str], str], *, line: int) -> Mount:
    """Parse one ``--mount`` value; ``expand`` replaces variables in the values."""
    mount = Mount()
    readonly: bool | None = None
    for name, raw in _fields(option, line):
        if raw is None:
            if name not in _BARE_TRUE and name != "env":
                raise DockerfileError(
                    f"invalid mount field {name!r}: it must be a key=value pair", line=line
                )
            value = "true"
        else:
            value = expand(raw)
        if name in ("readonly", "ro"):
            readonly = _boolean(name, value, line)
        elif name in ("readwrite", "rw"):
            readonly = not _boolean(name, value, line)
        else:
            _set(mount, name, value, line)
    mount.readonly = mount.kind not in ("cache", "tmpfs") if readonly is None else readonly
    return mount


def _fields(option: str, line: int) -> list[tuple[str, str | None]]:
    import csv

    try:
        row = next(csv.reader([option], strict=True))
    except (csv.Error, StopIteration) as error:
        raise DockerfileError(
            f"failed to parse the mount {option!r}: {error}", line=line
        ) from error
    fields: list[tuple[str, str | None]] = []
    for item in row:
        name, equals, value = item.partition("=")
        fields.append((name.lower(), value if equals else None))
    return fields


def _set(mount: Mount, name: str, value: str, line: int) -> None:
    match name:
        case "type":
            if value.lower() not in _TYPES:
                raise DockerfileError(f"unsupported mount type {value!r}", line=line)
            mount.kind = value.lower()
        case "from":
            mount.source_stage = value
        case "source" | "src":
            mount.source = value
        case "target" | "dst" | "destination":
            mount.target = value
        case "required":
            mount.required = _boolean(name, value, line)
        case "size":
            mount.size = _size(value, line)
        case "id":
            mount.identity = value
        case "sharing":
            if value.lower() not in ("shared", "private", "locked"):
                raise DockerfileError(f"unsupported sharing value {value!r}", line=line)
            mount.sharing = value.lower()
        case "env":
            mount.env = value
        case "mode":
            mount.mode = _number(name, value, line, base=8)
        case "uid":
            mount.uid = _number(name, value, line)
        case "gid":
            mount.gid = _number(name, value, line)
        case _:
            raise DockerfileError(f"unexpected key {name!r} in a mount", line=line)


def _boolean(name: str, value: str, line: int) -> bool:
    if value in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if value in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise DockerfileError(f"invalid value for {name}: {value}", line=line)


def _number(name: str, value: str, line: int, *, base: int = 10) -> int:
    try:
        return int(value, base)
    except ValueError as error:
        raise DockerfileError(f"invalid value for {name}: {value}", line=line) from error


def _size(value: str, line: int) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?", value.lower())
    if not found:
        raise DockerfileError(f"invalid value for size: {value}", line=line)
    return int(float(found[1]) * _UNITS[found[2]])
