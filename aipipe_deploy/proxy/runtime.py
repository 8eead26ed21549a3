"""HAProxy's runtime socket: one line of commands goes in, its answer comes out."""

from __future__ import annotations

import csv
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError
from aipipe_deploy.proxy.recorder import answered
from aipipe_deploy.proxy.slots import Slot, parse_servers_state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECONDS = 10.0
_CHUNK = 1 << 16
_FINE = ("IP changed", "port changed", "no need to change", "nothing changed")
_LONGEST_LINE = 8000
"""A request must fit into one of HAProxy's buffers (tune.bufsize, 16 kB unless set)."""


@dataclass(frozen=True, slots=True)
class ServerStats:
    """One server's counters since the proxy began, and its state now."""

    backend: str
    name: str
    status: str
    """``UP``, ``DOWN``, ``MAINT``, ``DRAIN``, perhaps with a count of checks."""
    check: str
    """The last check's result, such as ``L7OK``; a leading ``*`` says that one is under way."""
    current: int
    """Requests that it is answering now."""
    requests: int
    """Attempts to have it answer a request that came to an end."""
    bad: int
    """Of those, the ones without an answer, or with a 5xx. One that HAProxy then tried again
    stands only among its retries (``wretr``), whatever became of the request elsewhere."""

    @property
    def up(self) -> bool:
        """HAProxy would send it traffic."""
        return self.status.startswith(("UP", "DRAIN", "no check"))


class Runtime:
    """Talks to one HAProxy. Raises ``SurroundingsError`` (``proxy-down``, ``proxy-refused``)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def answers(self) -> bool:
        """Tell whether a proxy listens."""
        try:
            return "Version" in self.ask("show info")
        except SurroundingsError:
            return False

    def process(self) -> int:
        """Return the process id of the HAProxy that answers."""
        for line in self.ask("show info").splitlines():
            name, _, value = line.partition(":")
            if name == "Pid":
                return int(value)
        return 0

    def ask(self, line: str) -> str:
        """Return the answer to one line of commands."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_SECONDS)
                connection.connect(str(self.path))
                connection.sendall(line.encode() + b"\n")
                chunks = []
                while chunk := connection.recv(_CHUNK):
                    chunks.append(chunk)
        except PermissionError as error:
            raise SurroundingsError(
                "proxy-permission",
                "The proxy's socket may not be used by this user",
                where=str(self.path),
                hint="Release as the user who started the proxy.",
            ) from error
        except OSError as error:
            raise SurroundingsError(
                "proxy-down",
                f"The proxy does not answer: {error.strerror or error}",
                where=str(self.path),
                hint="aipipe-deploy resume starts it again and goes on.",
            ) from error
        return b"".join(chunks).decode(errors="replace")

    def apply(self, lines: Sequence[str]) -> None:
        """Carry out ``lines`` in their order; nothing else comes between those of one call."""
        for request in _packed(lines):
            answer = self.ask(request)
            complaints = [
                text for text in answer.splitlines() if text.strip() and not _is_fine(text)
            ]
            if complaints:
                raise SurroundingsError(
                    "proxy-refused",
                    f"The proxy refused: {complaints[0].strip()}",
                    where=request[:200],
                    hint="Its configuration may be older than the release's; see aipipe-deploy"
                    " status.",
                )

    def slots(self) -> list[Slot]:
        """Return every slot as it is now."""
        return parse_servers_state(self.ask("show servers state"))

    def stats(self) -> dict[tuple[str, str], ServerStats]:
        """Return every server's counters, by backend and name."""
        text = self.ask("show stat -1 4 -1").lstrip("# ")
        found = {}
        for row in csv.DictReader(text.splitlines()):
            server = _server(row)
            found[server.backend, server.name] = server
        return found


def _server(row: dict[str, str]) -> ServerStats:
    requests, bad = answered(row)
    return ServerStats(
        backend=row["pxname"],
        name=row["svname"],
        status=row["status"],
        check=row.get("check_status", ""),
        current=int(row.get("scur") or 0),
        requests=requests,
        bad=bad,
    )


def _packed(lines: Sequence[str]) -> list[str]:
    requests: list[str] = []
    for line in lines:
        if requests and len(requests[-1]) + len(line) + 2 < _LONGEST_LINE:
            requests[-1] += f"; {line}"
        else:
            requests.append(line)
    return requests


def _is_fine(text: str) -> bool:
    return any(word in text for word in _FINE)
