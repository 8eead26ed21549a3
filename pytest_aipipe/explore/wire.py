"""How the explorer and its child speak: length-prefixed JSON over a pipe."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

HEADER = struct.Struct("!I")
Message = dict[str, Any]


class Closed(Exception):  # noqa: N818 - an end, not an error
    """The other side is gone."""


def pack(message: Message) -> bytes:
    """Return ``message`` as one frame."""
    body = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def write(fd: int, frame: bytes) -> None:
    """Write a whole frame; raise :class:`Closed` when nobody reads any more."""
    view = memoryview(frame)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except (BrokenPipeError, ConnectionResetError) as error:
        raise Closed from error


class Reader:
    """Cuts the bytes that arrive on a descriptor into messages."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._buffer = bytearray()

    def pull(self) -> bool:
        """Read what is there; return False at the end of the stream."""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def pop_frame(self) -> bytes | None:
        """Return the next whole frame with its header, or None."""
        if len(self._buffer) < HEADER.size:
            return None
        (size,) = HEADER.unpack_from(self._buffer)
        end = HEADER.size + size
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[:end])
        del self._buffer[:end]
        return frame

    def pop(self) -> Message | None:
        """Return the next whole message, or None."""
        frame = self.pop_frame()
        if frame is None:
            return None
        message: Message = json.loads(frame[HEADER.size :])
        return message
