"""What a test does to more than itself, told by the audit hook.

It writes outside its own temporary folder, takes a standard stream of the process for a file of
its own (and closes it with it), or would put another program in the place of the process.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

_CHANGES = {
    "os.mkdir": 0,
    "os.remove": 0,
    "os.rmdir": 0,
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
}
_CHANGES |= {"os.truncate": 0, "os.chmod": 0, "shutil.rmtree": 0}
_STREAMS = (0, 1, 2)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Footprint:
    """Notes paths; an audit hook cannot be taken away, so it is switched on and off."""

    def __init__(self) -> None:
        self.on = False
        self.paths: list[str] = []
        self.others: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "os.exec":
            self._tell("puts another program in the place of its process")
        elif event == "open":
            if isinstance(args[0], int) and args[0] in _STREAMS:
                self._tell(f"opens a standard stream of its process ({int(args[0])}) as a file")
            elif isinstance(args[2], int) and args[2] & _WRITING:
                self._note(args[0])
        elif event in _CHANGES:
            self._note(args[_CHANGES[event]])

    def _tell(self, what: str) -> None:
        if what not in self.others:
            self.others.append(what)

    def _note(self, path: Any) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or len(self.paths) > 20:  # noqa: PLR2004
            return
        whole = os.path.abspath(path)  # noqa: PTH100 - no link is to be followed here
        if not whole.startswith((tempfile.gettempdir(), "/dev/", "/proc/")):
            self.paths.append(whole)
