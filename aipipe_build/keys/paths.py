"""Paths inside an image, cleaned as BuildKit cleans them."""

from __future__ import annotations

import posixpath


def absolute(parent: str, path: str) -> str:
    """Return ``path`` below ``parent`` when it is relative, cleaned, without a slash at the end."""
    joined = posixpath.join("/", parent, path)
    return "/" + posixpath.normpath(joined).lstrip("/")


def copy_destination(workdir: str, path: str) -> str:
    """Return the destination of a COPY; a slash or a dot at its end has a meaning."""
    cleaned = absolute(workdir, path)
    if path in (".", "") or path.endswith("/"):
        return cleaned if cleaned.endswith("/") else cleaned + "/"
    if path.endswith("/."):
        return cleaned.rstrip("/") + "/."
    return cleaned


def owner(text: str) -> tuple[str | int, ...] | None:
    """Return user and group of ``--chown``: numbers where they are, ``root`` is 0."""
    if not text:
        return None
    return tuple(_identity(part) for part in text.split(":", 1))


def _identity(name: str) -> str | int:
    if name == "root":
        return 0
    try:
        return int(name)
    except ValueError:
        return name
