"""The unit: one version of one service, as it is to run. It holds no secret's value."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Member:
    """One address at which a unit answers, and the proxy's slot for it ("" without one)."""

    name: str
    address: str
    port: int
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """One service in one release; everything that starting it again would need."""

    service: str
    release: int
    image: str
    """Its reference, as the configuration names it."""
    digest: str
    """What the reference meant when the release was made; "" until that was looked up."""
    members: tuple[Member, ...]
    replicas: int
    port: int
    health: str
    ready: float
    drain: float
    sticky: bool
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    memory: str = ""

    @property
    def name(self) -> str:
        """The unit in a word, such as ``web-r4``."""
        return f"{self.service}-r{self.release}"

    @property
    def slots(self) -> tuple[str, ...]:
        """The proxy's slots that lead to it."""
        return tuple(member.slot for member in self.members if member.slot)

    def fingerprint(self) -> str:
        """Two units with the same fingerprint are the same version of a service."""
        record = self.as_json()
        for name in ("members", "release", "ready", "drain"):
            del record[name]
        if self.digest:
            del record["image"]
        text = json.dumps(record, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """The unit as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Unit:
        """Read back what :meth:`as_json` wrote."""
        values = dict(record)
        values["members"] = tuple(Member(**member) for member in values["members"])
        values["env"] = tuple((name, value) for name, value in values["env"])
        for name in ("command", "secrets", "volumes"):
            values[name] = tuple(values[name])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class JobRun:
    """A one-off job of a release."""

    name: str
    image: str
    command: tuple[str, ...]
    irreversible: bool
    timeout: float
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The job as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> JobRun:
        """Read back what :meth:`as_json` wrote."""
        values = dict(record)
        values["env"] = tuple((name, value) for name, value in values["env"])
        for name in ("command", "secrets", "volumes"):
            values[name] = tuple(values[name])
        return cls(**values)
