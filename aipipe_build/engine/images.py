"""What the base images are: asked of the engine, else remembered from the last record."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aipipe_build.keys.model import BaseImage, ImageConfig
from aipipe_build.light import field, light

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_build.engine.client import EngineClient
    from aipipe_build.keys.platform import Platform

_INHERITED = frozenset({"Env", "WorkingDir", "User", "Shell", "OnBuild", "Image", "Hostname"})
_UNSEEN = "unseen "


@light()
class KnownImages:
    """Looks images up; ``recorded`` is what was seen when states were recorded.

    With ``for_record`` an image that nobody can look at gets an identity of its own, so that
    the same name can be recognised later.
    """

    engine: EngineClient
    recorded: Mapping[str, BaseImage] = field(default_factory=dict)
    for_record: bool = False
    _seen: dict[str, BaseImage] = field(default_factory=dict)

    def resolve(self, reference: str, platform: Platform) -> BaseImage:
        """Return what is known of the image named in full."""
        key = f"{reference} {platform}"
        if key not in self._seen:
            self._seen[key] = self._resolve(reference, platform)
        return self._seen[key]

    def _resolve(self, reference: str, platform: Platform) -> BaseImage:
        document = self.engine.image(reference)
        known = self.recorded.get(reference)
        if document is not None and _is_for(document, platform):
            unseen = known is not None and known.identity.startswith(_UNSEEN)
            if known is not None and unseen and _tagged_at(document) <= known.recorded_at:
                return known
            return describe_image(reference, document)
        if known is not None:
            return BaseImage(
                reference, known.identity, known.config, assumed=True, recorded_at=known.recorded_at
            )
        # A digest says what the image holds, even to those who never saw it.
        if self.for_record or "@sha256:" in reference:
            return BaseImage(reference, f"{_UNSEEN}{reference} {platform}", assumed=True)
        return BaseImage(reference)


def _is_for(document: Mapping[str, Any], platform: Platform) -> bool:
    system = document.get("Os", platform.system)
    architecture = document.get("Architecture", platform.architecture)
    return bool(system == platform.system and architecture == platform.architecture)


def _tagged_at(document: Mapping[str, Any]) -> float:
    """Return when the image last got a name, as a POSIX time; now where that is not told."""
    from datetime import datetime

    text = (document.get("Metadata") or {}).get("LastTagTime") or ""
    try:
        return datetime.fromisoformat(text[:19] + "+00:00").timestamp()
    except ValueError:
        return float("inf")


def describe_image(reference: str, document: Mapping[str, Any]) -> BaseImage:
    """Return an image's layers and configuration from ``docker image inspect``."""
    layers = (document.get("RootFS") or {}).get("Layers") or []
    config = document.get("Config") or {}
    # An image without layers is keyed by its configuration.
    identity = _digest(layers or [document.get("Id", reference)])
    pairs = (entry.partition("=") for entry in config.get("Env") or [])
    return BaseImage(
        reference,
        identity,
        ImageConfig(
            env=tuple((name, value) for name, _, value in pairs),
            working_dir=config.get("WorkingDir") or "",
            user=config.get("User") or "",
            shell=tuple(config.get("Shell") or ()),
            on_build=tuple(config.get("OnBuild") or ()),
            rest=_digest(
                {key: value for key, value in config.items() if key not in _INHERITED and value}
            ),
        ),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
