"""Images made in memory, as ``docker save`` would have written them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def layer(*members: tuple[str, Any], **modes: int) -> bytes:
    """Return a layer's tar. A member's value is content, None for a folder, or TarInfo fields."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, value in members:
            info = tarfile.TarInfo(name)
            data = b""
            if value is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(value, dict):
                for key, one in value.items():
                    setattr(info, key, one)
            else:
                data = value.encode() if isinstance(value, str) else value
                info.mode = 0o644
            info.mode = modes.get(name, info.mode)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def save(
    path: Path, *layers: bytes, config: dict[str, Any] | None = None, made_by: tuple[str, ...] = (),
    compress: bool = False,
) -> Path:  # fmt: skip
    """Write an archive of these layers to ``path``."""
    names = [f"blobs/sha256/{hashlib.sha256(data).hexdigest()}" for data in layers]
    history = [{"created_by": text} for text in made_by]
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": config or {},
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name[-64:]}" for name in names]},
    }
    blobs = {
        "blobs/sha256/config": json.dumps(document).encode(),
        "manifest.json": json.dumps([{"Config": "blobs/sha256/config", "Layers": names}]).encode(),
    }
    blobs |= dict(zip(names, layers, strict=True))
    with tarfile.open(path, "w") as archive:
        for name, data in blobs.items():
            packed = gzip.compress(data) if compress and name in names else data
            info = tarfile.TarInfo(name)
            info.size = len(packed)
            archive.addfile(info, io.BytesIO(packed))
    return path
