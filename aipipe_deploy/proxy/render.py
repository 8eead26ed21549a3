"""HAProxy's configuration, with the slots as they are: what it starts from after a crash.

``show servers state`` with ``load-server-state-from-file`` would bring back everything but a
slot's address, which HAProxy restores for names only. So the file itself is written anew after
each change, and a proxy that starts from it sends traffic where it went before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_deploy.proxy.slots import Slot
from aipipe_deploy.sources.answers import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aipipe_deploy.config import Deploy, Service

_HEAD = """\
# Written by aipipe-deploy after every change of traffic; edits are lost.
global
  stats socket {socket} mode 600 level admin
  stats timeout 30s
  log {answers} len 256 format raw local0
  hard-stop-after 90s

defaults
  mode http
  log global
  log-format "{format}"
  timeout connect 300ms
  timeout client {timeout}
  timeout server {timeout}
  timeout http-request 15s
  timeout queue 5s
  timeout check 2s
  retries {retries}
  option redispatch 1
  option idle-close-on-response
  default-server check inter {check}ms fall 3 rise 1
"""

_UNHEARD = "tcp-ut 2s"
"""Data that nobody acknowledges for so long ends a connection, and its request is tried again
elsewhere: a node was cut off. Said of each server, for of `default-server` it is not taken over."""

_FRONT = """
frontend {name}
  bind {bind}
  default_backend {name}
"""

_BACK = """
backend {name}
  balance roundrobin
  option httpchk GET {health}
  http-check expect rstatus ^[23]
  # A failed request is tried again at another server, if asking twice does no harm.
  retry-on all-retryable-errors
  http-request disable-l7-retry unless {{ method GET HEAD OPTIONS TRACE PUT DELETE }}
"""


def render(deploy: Deploy, slots: Iterable[Slot], *, socket: Path, passed: bool) -> str:
    """Return the file's text. ``passed``: listening sockets come from the keeper."""
    shown = {(slot.backend, slot.name): slot for slot in slots}
    proxy = deploy.proxy
    parts = [
        _HEAD.format(
            socket=socket,
            answers=answers_of(socket),
            format=FORMAT,
            timeout=f"{proxy.timeout:g}s",
            retries=proxy.retries,
            check=round(1000 * proxy.check),
        )
    ]
    for service in public_services(deploy):
        address = f'"fd@${{{variable(service)}}}"' if passed else f"{proxy.bind}:{service.public}"
        parts.append(_FRONT.format(name=service.name, bind=address))
        parts.append(_BACK.format(name=service.name, health=service.health))
        if service.sticky:
            parts.append(f"  cookie AIPIPE_{service.name} insert indirect nocache httponly\n")
        for name in slot_names(deploy):
            slot = shown.get((service.name, name), Slot(service.name, name))
            parts.append(_server(slot, sticky=service.sticky))
    return "".join(parts)


def answers_of(socket: Path) -> Path:
    """Where HAProxy tells of each answer, beside its statistics socket."""
    return socket.with_name("answers.sock")


def public_services(deploy: Deploy) -> list[Service]:
    """The services that the proxy stands in front of, in the order of the file."""
    return [service for service in deploy.services.values() if service.public]


def slot_names(deploy: Deploy) -> list[str]:
    """Names of a backend's slots."""
    return [f"s{i + 1}" for i in range(deploy.proxy.slots)]


def variable(service: Service) -> str:
    """The variable that tells HAProxy which descriptor is a service's listening socket."""
    return f"AIPIPE_FD_{service.name.upper().replace('-', '_')}"


def _server(slot: Slot, *, sticky: bool) -> str:
    words = [f"  server {slot.name} {slot.address}:{slot.port} weight {slot.weight}", _UNHEARD]
    if sticky:
        words.append(f"cookie {slot.name}")
    if not slot.open:
        words.append("disabled")
    return " ".join(words) + "\n"
