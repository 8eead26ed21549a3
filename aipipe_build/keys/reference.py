"""Image references in their full form."""

from __future__ import annotations


def normalise_reference(reference: str) -> str:
    """Return ``docker.io/library/python:3.11`` for ``python:3.11``, with ``latest`` filled in."""
    name, at, digest = reference.partition("@")
    first, slash, _ = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    if ":" not in name.rpartition("/")[2] and not at:
        name += ":latest"
    return f"{name}{at}{digest}"


def familiar_reference(reference: str) -> str:
    """Return the short form that ``--build-context`` names use, without ``:latest``."""
    full = normalise_reference(reference)
    return full.removeprefix("docker.io/").removeprefix("library/").removesuffix(":latest")
