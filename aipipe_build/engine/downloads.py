"""What a URL of an ADD serves now."""

from __future__ import annotations

import hashlib

from aipipe_build.light import field, light

_TIMEOUT_SECONDS = 10.0
_LIMIT = 256 << 20
_CHUNK = 1 << 20


@light()
class HttpDownloads:
    """Fetches and hashes; nothing is kept. ``enabled`` false asks nobody."""

    enabled: bool = True
    _known: dict[str, str | None] = field(default_factory=dict)

    def digest(self, url: str) -> str | None:
        """Return ``sha256:<hex>`` of the body, None where it cannot be had."""
        if url not in self._known:
            self._known[url] = self._fetch(url) if self.enabled else None
        return self._known[url]

    def _fetch(self, url: str) -> str | None:
        import urllib.request

        digest = hashlib.sha256()
        size = 0
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - the caller checked for http(s)
                while chunk := response.read(_CHUNK):
                    size += len(chunk)
                    if size > _LIMIT:
                        return None
                    digest.update(chunk)
        except (OSError, ValueError):
            return None
        return f"sha256:{digest.hexdigest()}"
