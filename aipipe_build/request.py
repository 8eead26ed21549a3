"""What a build is asked to do: ``docker build``'s own options as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.light import field, light

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@light(frozen=True)
class BuildRequest:
    """One build. Only what can reach a cache key or the image's configuration is here."""

    context: Path
    dockerfile: Path
    target: str = ""
    builder: str = "default"
    build_args: Mapping[str, str] = field(default_factory=dict)
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    """The names of ``--add-host``; the addresses reach no key."""
    platform: str = ""
    network: str = ""
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    shm_size: int = 0
    ulimits: tuple[str, ...] = ()
    cgroup_parent: str = ""
