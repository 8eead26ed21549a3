"""The contexts of a request on this machine's disk: main and named ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_build.context.digest import ContentHasher, Selector
from aipipe_build.context.folder_memo import FolderMemo
from aipipe_build.context.stat_cache import StatCache
from aipipe_build.context.tree import ContextTree
from aipipe_build.ignore.patterns import PatternMatcher, read_ignore_file
from aipipe_build.light import field, light

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_build.request import BuildRequest


def main_matcher(request: BuildRequest) -> PatternMatcher:
    """Return the patterns of the main context: the Dockerfile's own ignore file wins."""
    own = request.dockerfile.with_name(request.dockerfile.name + ".dockerignore")
    for path in (own, request.context / ".dockerignore"):
        try:
            return PatternMatcher(read_ignore_file(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
    return PatternMatcher([])


@light()
class LocalContexts:
    """Content keys over local folders. ``memory`` is where stat caches are kept, if anywhere."""

    request: BuildRequest
    memory: Path | None = None
    _open: dict[str, tuple[ContentHasher, StatCache]] = field(default_factory=dict)
    _manifests: dict[str, tuple[str, tuple[Selector, ...]]] = field(default_factory=dict)

    def content(self, name: str, selectors: Sequence[Selector]) -> str:
        """Return the content key of a selection of the context ``name``."""
        digest = self._hasher(name)[0].digest(selectors)
        self._manifests[digest] = (name, tuple(selectors))
        return digest

    def manifest(self, digest: str) -> dict[str, str]:
        """Return the files behind a content key that was computed here."""
        found = self._manifests.get(digest)
        return self._hasher(found[0])[0].manifest(found[1]) if found else {}

    def stale(self) -> list[str]:
        """Return the files that changed behind an equal size and time."""
        return sorted(path for _, cache in self._open.values() for path in cache.stale)

    def save(self, *, sent: bool = False) -> None:
        """Keep what was learned; with ``sent`` also that a builder has been given this."""
        for hasher, cache in self._open.values():
            if sent:
                cache.save_sent(hasher.sent(), hasher.sent_folders())
            hasher.save()

    def _hasher(self, name: str) -> tuple[ContentHasher, StatCache]:
        if name not in self._open:
            root = Path(name) if name else self.request.context
            if name:
                ignore = root / ".dockerignore"
                data = ignore.read_bytes() if ignore.is_file() else b""
                matcher = PatternMatcher(read_ignore_file(data))
            else:
                matcher = main_matcher(self.request)
            cache, memo = StatCache(), None
            if self.memory:
                label = hashlib.sha256(f"{root.resolve()}".encode(errors="surrogateescape"))
                place = self.memory / label.hexdigest()[:24]
                cache, memo = StatCache.load(place), FolderMemo(place)
            tree = ContextTree(str(root), matcher)
            self._open[name] = (ContentHasher(tree, cache, memo), cache)
        return self._open[name]
