"""Platforms: ``linux/amd64``, and the arguments that BuildKit makes of them."""

from __future__ import annotations

import os

from aipipe_build.light import light
from aipipe_core.errors import RequestError

_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
}
_SYSTEMS = frozenset({"linux", "windows", "darwin", "freebsd", "wasi"})
_MAX_PARTS = 3


@light(frozen=True)
class Platform:
    """System, architecture, variant, normalised."""

    system: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        parts = (self.system, self.architecture, self.variant)
        return "/".join(part for part in parts if part)


def host_platform() -> Platform:
    """Return the platform that a builder on this machine builds for."""
    # Containers are Linux wherever the client runs.
    return Platform("linux", *_architecture(os.uname().machine.lower()))


def parse_platform(text: str) -> Platform:
    """Parse ``os/arch[/variant]``. Raises :class:`RequestError`."""
    parts = text.strip().lower().split("/")
    if not text.strip() or len(parts) > _MAX_PARTS or not all(parts):
        raise RequestError(
            "platform-malformed", f"{text!r} is no platform", hint="Write it as linux/amd64."
        )
    if len(parts) == 1:
        if parts[0] in _SYSTEMS:
            own = host_platform()
            return Platform(parts[0], own.architecture, own.variant)
        return Platform("linux", *_architecture(parts[0]))
    architecture, variant = _architecture(parts[1])
    if len(parts) == _MAX_PARTS:
        variant = parts[2]
    # arm64/v8 and amd64/v1 are what their bare names mean.
    if (architecture, variant) in (("arm64", "v8"), ("amd64", "v1")):
        variant = ""
    return Platform(parts[0], architecture, variant)


def platform_arguments(build: Platform, target: Platform) -> dict[str, str]:
    """Return the predefined arguments, in BuildKit's order."""
    arguments: dict[str, str] = {}
    for prefix, one in (("BUILD", build), ("TARGET", target)):
        arguments[f"{prefix}PLATFORM"] = str(one)
        arguments[f"{prefix}OS"] = one.system
        arguments[f"{prefix}ARCH"] = one.architecture
        arguments[f"{prefix}VARIANT"] = one.variant
    return arguments


def _architecture(name: str) -> tuple[str, str]:
    if name == "arm":
        return "arm", "v7"
    return _ARCHITECTURES.get(name, (name, ""))
