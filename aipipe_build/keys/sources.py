"""Where a build's inputs come from, as the graph's maker asks for them.

Everything that touches disk, network or engine stands behind these Protocols, so that the
graph itself is made by pure code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_build.context.digest import Selector
    from aipipe_build.keys.model import BaseImage
    from aipipe_build.keys.platform import Platform


class Contexts(Protocol):
    """The main build context, named ``""``, and the local named ones."""

    def content(self, name: str, selectors: Sequence[Selector]) -> str:
        """Return the content key of a selection of the context ``name``."""
        ...


class Images(Protocol):
    """The images that a Dockerfile names."""

    def resolve(self, reference: str, platform: Platform) -> BaseImage:
        """Tell what is known of the image with this full reference."""
        ...


class Downloads(Protocol):
    """The files behind URLs."""

    def digest(self, url: str) -> str | None:
        """Return the digest of what ``url`` serves now, None where that cannot be told."""
        ...
