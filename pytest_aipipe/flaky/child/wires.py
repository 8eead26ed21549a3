"""The network gone, or a fixed port taken by somebody else."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from typing import Any

_LOCAL = {"localhost", "localhost.localdomain", "ip6-localhost", "", "0.0.0.0", "::", "::1"}  # noqa: S104


def is_remote(host: object) -> bool:
    """Whether ``host`` is another machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host.lower() in _LOCAL or host == socket.gethostname():
        return False
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return True


def cut() -> None:
    """Let every connection to another machine fail, as without a network."""
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if isinstance(address, tuple) and is_remote(address[0]):
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and is_remote(args[0]):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def join() -> None:
    """Let every connection to another machine succeed, as far as one here can stand in for it."""
    import threading

    answering = socket.create_server(("127.0.0.1", 0))
    place = answering.getsockname()

    def answer() -> None:
        while True:
            connection, _ = answering.accept()
            connection.settimeout(0.2)
            try:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                continue
            finally:
                connection.close()

    threading.Thread(target=answer, daemon=True, name="aipipe-network").start()
    plain_info, plain_connect = socket.getaddrinfo, socket.socket.connect

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if is_remote(host):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", int(port or 80)))]
        return plain_info(host, port, *args, **kwargs)

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and is_remote(address[0]):
            address = place
        plain_connect(self, address)

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = lambda host: "192.0.2.1" if is_remote(host) else "127.0.0.1"
    socket.socket.connect = connect  # type: ignore[assignment, method-assign, unused-ignore]


class Squatter:
    """Takes every fixed port just before the test binds it."""

    def __init__(self) -> None:
        self.held: list[socket.socket] = []
        self._busy = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "socket.bind" or self._busy:
            return
        mine, address = args[0], args[1]
        if not isinstance(address, tuple) or not address[1]:
            return
        self._busy = True
        try:
            other = socket.socket(mine.family, mine.type)
            try:
                if mine.type == socket.SOCK_STREAM:  # an earlier connection may linger there
                    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(address)
                if mine.type == socket.SOCK_STREAM:
                    other.listen()
                self.held.append(other)
            except OSError:
                other.close()
        finally:
            self._busy = False
