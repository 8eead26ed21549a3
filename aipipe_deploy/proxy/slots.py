"""Slots: the places for servers in a backend, and the lines that move traffic among them.

A backend has as many slots as the configuration says, all there from the start and closed.
Putting a container to work is giving a slot its address; nothing is ever reloaded for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NOWHERE = ("127.0.0.1", 9)
"""The address of a slot that leads nowhere: the discard port."""
FULL = 200
_PAUSED = 0x08
"""Bit of ``srv_check_state``: a closed server's checks are paused (types/checks.h). The state of
administration will not do: a slot that the file closed keeps that mark when it is opened."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One server of a backend, as HAProxy shows it."""

    backend: str
    name: str
    address: str = NOWHERE[0]
    port: int = NOWHERE[1]
    weight: int = 0
    open: bool = False

    @property
    def free(self) -> bool:
        """Nothing answers there, by our own doing."""
        return not self.open and (self.address, self.port) == NOWHERE

    @property
    def serves(self) -> bool:
        """It gets its part of the traffic."""
        return self.open and self.weight > 0


def parse_servers_state(text: str) -> list[Slot]:
    """Read what ``show servers state`` prints (management guide, section 9.3)."""
    lines = [line for line in text.splitlines() if line.strip()]
    header: list[str] = []
    slots = []
    for line in lines:
        if line.startswith("#"):
            header = line[1:].split()
            continue
        row = dict(zip(header, line.split(), strict=False))
        if "srv_name" not in row:
            continue  # the version number that comes first
        slots.append(
            Slot(
                row["be_name"],
                row["srv_name"],
                row["srv_addr"],
                int(row["srv_port"]),
                int(row["srv_uweight"]),
                not int(row["srv_check_state"]) & _PAUSED,
            )
        )
    return slots


def opening(slot: Slot, address: str, port: int) -> list[str]:
    """Lines that give a slot its address and let HAProxy check it, still without traffic."""
    name = f"{slot.backend}/{slot.name}"
    return [
        f"set server {name} weight 0",
        f"set server {name} addr {address} port {port}",
        f"set server {name} state ready",
    ]


def closing(backend: str, slot: str) -> list[str]:
    """Lines that take an address out of a slot."""
    name = f"{backend}/{slot}"
    return [
        f"set server {name} weight 0",
        f"set server {name} state maint",
        f"set server {name} addr {NOWHERE[0]} port {NOWHERE[1]}",
    ]


def shifting(weights: Iterable[tuple[str, str, int]], *, sticky: frozenset[str]) -> list[str]:
    """Lines that set weights; those that get more come first, or there would be a gap.

    A server of weight 0 still gets the users whose cookie names it, so in a ``sticky`` backend
    it is closed as well; what it is answering it may finish.
    """
    rising = [w for w in weights if w[2] > 0]
    falling = [w for w in weights if w[2] == 0]
    lines = []
    for backend, slot, weight in rising:
        if backend in sticky:
            lines.append(f"set server {backend}/{slot} state ready")
        lines.append(f"set server {backend}/{slot} weight {weight}")
    for backend, slot, _ in falling:
        lines.append(f"set server {backend}/{slot} weight 0")
        if backend in sticky:
            lines.append(f"set server {backend}/{slot} state maint")
    return lines


def weights_for(share: float, old: int, new: int) -> tuple[int, int]:
    """Weights of each old and each new server that give the new ones ``share`` (0 to 1).

    ``old`` and ``new`` are how many of each there are.
    """
    if share <= 0 or not new:
        return FULL, 0
    if share >= 1 or not old:
        return 0, FULL
    ratio = share * old / ((1 - share) * new)
    if ratio <= 1:
        return FULL, max(1, round(FULL * ratio))
    return max(1, round(FULL / ratio)), FULL
