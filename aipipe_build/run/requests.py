"""From options to requests: a build for several platforms is predicted one by one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from aipipe_build.options import make_request

if TYPE_CHECKING:
    from aipipe_build.request import BuildRequest

_IMAGES = frozenset({"image", "registry", "docker"})


def platform_requests(options: argparse.Namespace, environ: dict[str, str]) -> list[BuildRequest]:
    """Return a request for each platform, or the one request. Raises :class:`RequestError`."""
    names = [name for entry in options.platform for name in entry.split(",") if name]
    if len(names) < 2:  # noqa: PLR2004 - several platforms
        return [make_request(options, environ=environ)]
    return [
        make_request(argparse.Namespace(**{**vars(options), "platform": [name]}), environ=environ)
        for name in dict.fromkeys(names)
    ]


def makes_image(options: argparse.Namespace) -> bool:
    """Tell whether the build ends in an image that the engine or a registry keeps.

    One that is also annotated or attested anew is another image than was built before.
    """
    if options.annotation or options.attest or options.sbom:
        return False
    for entry in options.output or ():
        fields = dict(item.partition("=")[::2] for item in entry.split(","))
        if fields.get("type") not in _IMAGES or "dest" in fields:
            return False
    return True
