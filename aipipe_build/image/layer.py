"""One layer of an image: what it adds, and what it takes away.

The format is the OCI image specification's layer: a tar whose ``.wh.`` entries delete.
See https://github.com/opencontainers/image-spec/blob/main/layer.md.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import tarfile
from dataclasses import dataclass, field, replace
from typing import IO

from aipipe_build.image.elf import is_elf, needed
from aipipe_build.image.entry import Entry
from aipipe_core.errors import SurroundingsError

_CHUNK = 1 << 20
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_XATTR = "SCHILY.xattr."
_KEPT = re.compile(
    r"var/lib/dpkg/status$|var/lib/dpkg/status\.d/[^/]+$|(?:^|/)[^/]+\.dist-info/METADATA$|"
    r"(?:^|/)[^/]+\.egg-info/PKG-INFO$|(?:^|/)[^/]+\.egg-info$|var/lib/dpkg/info/[^/]+\.list$|"
    r"(?:etc|usr/lib)/os-release$|(?:^|/)[^/]+\.dist-info/direct_url\.json$"
)
_LARGEST_KEPT = 32 << 20
_LARGEST_LINKED = 512 << 20
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(slots=True)
class Layer:
    """What one layer says. ``removed`` and ``emptied`` are paths below it that it hides."""

    digest: str
    entries: dict[str, Entry] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    """The content of the files that tell what is installed."""
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The shared libraries that its programs and libraries ask the linker for."""
    size: int = 0
    """The bytes of its files."""


def read_layer(stream: IO[bytes], digest: str, *, where: str = "") -> Layer:
    """Return a layer from its tar, plain or compressed. Raises ``image-unreadable``."""
    layer = Layer(digest)
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            for member in archive:
                _take(layer, archive, member)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SurroundingsError(
            "image-unreadable",
            f"a layer of the image cannot be read: {error}",
            where=f"{where} {digest}".strip(),
            hint="A layer that is compressed with zstd is not read; build or pull it with gzip.",
        ) from error
    layer.size = sum(entry.size for entry in layer.entries.values())
    return layer


def _take(layer: Layer, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = posixpath.normpath(member.name).lstrip("/")
    if path in ("", "."):
        return
    folder, name = posixpath.split(path)
    if name == _OPAQUE:
        layer.emptied.append(folder)
    elif name.startswith(_WHITEOUT):
        layer.removed.append(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
    else:
        layer.entries[path] = _entry(layer, archive, member, path)


def _entry(layer: Layer, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> Entry:
    base = Entry(
        path,
        _kind(member),
        member.mode & 0o7777,
        member.uid,
        member.gid,
        xattrs=tuple(
            sorted(
                (key.removeprefix(_XATTR), value)
                for key, value in member.pax_headers.items()
                if key.startswith(_XATTR)
            )
        ),
    )
    if member.islnk():
        target = layer.entries.get(posixpath.normpath(member.linkname).lstrip("/"))
        # A second name of a file takes no room.
        return replace(target, path=path, size=0) if target else replace(base, link=member.linkname)
    if member.issym():
        return replace(base, link=member.linkname)
    if member.isfile():
        digest = _digest(layer, archive, member, path)
        return replace(base, size=member.size, digest=digest)
    if base.kind in "cb":
        return replace(base, link=f"{member.devmajor}:{member.devminor}")
    return base


def _digest(layer: Layer, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> str:
    stream = archive.extractfile(member)
    if stream is None:
        return ""
    if _KEPT.search(path) and member.size <= _LARGEST_KEPT:
        data = stream.read()
        layer.texts[path] = data
        return hashlib.sha256(data).hexdigest()
    start = stream.read(_CHUNK)
    if is_elf(start) and member.size <= _LARGEST_LINKED:
        data = start + stream.read()
        if names := needed(data):
            layer.links[path] = names
        return hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256(start)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _kind(member: tarfile.TarInfo) -> str:
    if member.isdir():
        return "d"
    if member.issym():
        return "l"
    if member.ischr():
        return "c"
    if member.isblk():
        return "b"
    return "p" if member.isfifo() else "f"
