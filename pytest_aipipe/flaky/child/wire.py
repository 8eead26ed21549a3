"""Messages between the laboratory and its child: one JSON object a line, over a pipe."""

from __future__ import annotations

import json
import os
from typing import Any

Message = dict[str, Any]
_CHUNK = 1 << 16


class Closed(Exception):  # noqa: N818 - a state, not an error
    """The other side is gone."""


class Lines:
    """Reads whole messages from a file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._buffer = bytearray()

    def pull(self) -> bool:
        """Read what is there; return whether the other side is still open."""
        piece = os.read(self.fd, _CHUNK)
        self._buffer += piece
        return bool(piece)

    def pop(self) -> Message | None:
        """Return the next whole message, None where there is none yet."""
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        message: Message = json.loads(line)
        return message

    def next(self) -> Message:
        """Return the next message, waiting for it; raise :class:`Closed` at the end."""
        while (message := self.pop()) is None:
            if not self.pull():
                raise Closed
        return message


def send(fd: int, message: Message) -> None:
    """Write one message whole; raise :class:`Closed` where nobody reads."""
    data = memoryview(json.dumps(message, default=str).encode() + b"\n")
    try:
        while data:
            data = data[os.write(fd, data) :]
    except BrokenPipeError as error:
        raise Closed from error
