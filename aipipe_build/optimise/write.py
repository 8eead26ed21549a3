"""Put the new texts in place: whole, both or neither, and only over what was read."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError, SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe_build.optimise.look import Place


def write_rewrite(place: Place, text: str, ignore: str | None) -> None:
    """Replace the Dockerfile and its ignore file.

    Raises ``dockerfile-moved`` where the Dockerfile is no longer what was read, and
    ``rewrite-unwritable``; then both are as they were.
    """
    if _read(place.dockerfile) != _bytes(place.text):
        raise RequestError(
            "dockerfile-moved",
            "the Dockerfile changed while its rewrite was proven; nothing was written",
            where=str(place.dockerfile),
            hint="Run it again.",
        )
    before = _read(place.ignore_file)
    try:
        if ignore is not None and ignore != place.ignore:
            _replace(place.ignore_file, _bytes(ignore))
        try:
            if text != place.text:
                _replace(place.dockerfile, _bytes(text))
        except OSError:
            with contextlib.suppress(OSError):
                _restore(place.ignore_file, before)
            raise
    except OSError as error:
        raise SurroundingsError(
            "rewrite-unwritable",
            f"the rewrite cannot be written: {error.strerror}",
            where=str(error.filename or place.dockerfile),
            hint="The files are as they were.",
        ) from error


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _restore(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    elif _read(path) != data:
        _replace(path, data)


def _replace(path: Path, data: bytes) -> None:
    """Write through a symbolic link, in one step, with the mode that was there."""
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), mode)
        os.replace(name, target)  # noqa: PTH105 - the pair of what mkstemp gave
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise
