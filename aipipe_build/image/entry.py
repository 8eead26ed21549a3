"""One file of an image, as its layer has it."""

from __future__ import annotations

import stat
from dataclasses import dataclass

_KINDS = {"f": "-", "d": "d", "l": "l", "c": "c", "b": "b", "p": "p"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A path with all that a container can see of it, but its times.

    ``path`` has no slash in front. ``kind`` is f(ile), d(irectory), l(ink), c, b, p. ``digest``
    is of a file's content, ``link`` a link's target or a device's numbers. ``layer`` is the
    index of the layer that it comes from, 0 for the lowest.
    """

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int = 0
    digest: str = ""
    link: str = ""
    xattrs: tuple[tuple[str, str], ...] = ()
    layer: int = 0

    @property
    def permissions(self) -> str:
        """The mode as ``ls`` shows it."""
        return _KINDS[self.kind] + stat.filemode(self.mode)[1:]

    @property
    def owner(self) -> str:
        """``uid:gid``."""
        return f"{self.uid}:{self.gid}"
