"""The files of a context, listed as they are needed and filtered by ``.dockerignore``."""

from __future__ import annotations

import os
import stat as stats
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aipipe_build.ignore.patterns import PatternMatcher

_MAX_LINKS = 255
_KIND = 0o170000  # of a mode, as S_IFMT masks it


class ContextError(RequestError):
    """A file of the context that cannot be used."""


class Entry:
    """One file, directory, link or other thing. ``path`` is relative to the context."""

    __slots__ = (
        "children", "digest", "folders", "found", "hidden", "info", "is_dir", "is_file", "is_link",
        "link", "mode", "name", "path", "stat",
    )  # fmt: skip

    def __init__(self, path: str, name: str, stat: os.stat_result) -> None:
        self.path = path
        self.name = name
        self.stat = stat
        self.mode = mode = stat.st_mode
        kind = mode & _KIND
        self.is_file = kind == stats.S_IFREG
        self.is_dir = kind == stats.S_IFDIR
        self.is_link = kind == stats.S_IFLNK
        self.link = ""
        self.hidden = False
        self.info: Sequence[bool] | None = None
        self.children: dict[str, Entry] | None = None
        self.folders: dict[str, Entry] = {}
        self.found: list[tuple[str, os.stat_result]] | None = None
        self.digest: str | None = None


class ContextTree:
    """The tree below ``root`` as BuildKit is sent it."""

    def __init__(self, root: str, matcher: PatternMatcher | None) -> None:
        self.root_path = root
        self._matcher = matcher if matcher and matcher.patterns else None
        try:
            self.root = Entry("", "", os.stat(root))  # noqa: PTH116 - Paths are slow here
        except OSError as error:
            raise ContextError(
                "context-missing", f"the build context cannot be read: {error.strerror}", where=root
            ) from error
        if not self.root.is_dir:
            raise ContextError("context-missing", "the build context is no directory", where=root)

    def children(self, entry: Entry) -> dict[str, Entry]:
        """Return the visible children of a directory, by name."""
        if entry.children is None:
            entry.children = {child.name: child for child in self._list(entry)}
        return entry.children

    def visible(self, entry: Entry) -> list[tuple[str, os.stat_result]]:
        """Return the names of what is visible in a directory, sorted, with what stat says of it.

        Ten thousand entries cost as much as asking for their stat: this makes none.
        """
        if self._matcher and not self._matcher.simple:
            children = self.children(entry)
            return [(name, children[name].stat) for name in sorted(children)]
        if entry.found is None:
            entry.found = self._scan(entry)
            entry.found.sort()  # by name: no two are equal
        return entry.found

    def folder(self, entry: Entry, name: str, stat: os.stat_result) -> Entry:
        """Return the directory ``name`` that is visible in ``entry``: the one of its children."""
        if entry.children is not None:
            return entry.children[name]
        if name not in entry.folders:
            path = f"{entry.path}/{name}" if entry.path else name
            entry.folders[name] = Entry(path, name, stat)
        return entry.folders[name]

    def lookup(self, path: str) -> tuple[Entry | None, str]:
        """Find ``path``; links in its directories are followed, one at its end is not.

        Returns the entry, None where there is none, and the path it was found at.
        """
        links = 0
        parts = [part for part in path.split("/") if part not in ("", ".")]
        entry, at = self.root, 0
        walked: list[Entry] = []
        while at < len(parts):
            part = parts[at]
            if part == "..":
                entry = walked.pop() if walked else self.root
                at += 1
                continue
            if not entry.is_dir:
                return None, path
            child = self.children(entry).get(part)
            if child is None:
                return None, path
            at += 1
            if child.is_link and at < len(parts):
                links += 1
                if links > _MAX_LINKS:
                    raise ContextError("context-link-loop", "too many links", where=path)
                target = [piece for piece in child.link.split("/") if piece not in ("", ".")]
                if child.link.startswith("/"):
                    entry, walked = self.root, []
                parts, at = target + parts[at:], 0
                continue
            walked.append(entry)
            entry = child
        return entry, entry.path

    def walk(self, entry: Entry) -> Iterator[Entry]:
        """Yield ``entry`` and all that is visible below it, in BuildKit's order."""
        yield entry
        if entry.is_dir:
            children = self.children(entry)
            for name in sorted(children):
                yield from self.walk(children[name])

    def _scan(self, entry: Entry) -> list[tuple[str, os.stat_result]]:
        """List a directory without what a matcher hides that needs no more than the path."""
        directory = self._directory(entry)
        prefix = f"{entry.path}/" if entry.path else ""
        hides = self._matcher.simple if self._matcher else None
        try:
            with os.scandir(directory) as scan:
                if hides is None:
                    return [(item.name, item.stat(follow_symlinks=False)) for item in scan]
                return [
                    (item.name, item.stat(follow_symlinks=False))
                    for item in scan
                    if not hides(prefix + item.name)
                ]
        except PermissionError as error:
            raise ContextError(
                "context-unreadable",
                "a directory of the build context cannot be read",
                where=directory,
                hint="Make it readable or list it in .dockerignore.",
            ) from error
        except FileNotFoundError:
            return []

    def _list(self, entry: Entry) -> Iterator[Entry]:
        directory = self._directory(entry)
        prefix = f"{entry.path}/" if entry.path else ""
        matcher = self._matcher
        asked = matcher is not None and not matcher.simple
        for name, stat in self._scan(entry) if entry.found is None else entry.found:
            child = entry.folders.get(name) or Entry(prefix + name, name, stat)
            if asked and not self._admit(child, entry):
                continue
            if child.is_link:
                child.link = os.readlink(f"{directory}/{name}")  # noqa: PTH115 - as above
            yield child

    def _directory(self, entry: Entry) -> str:
        return f"{self.root_path}/{entry.path}" if entry.path else self.root_path

    def _admit(self, child: Entry, parent: Entry) -> bool:
        matcher = self._matcher
        assert matcher is not None  # noqa: S101 - the caller asked
        child.hidden, child.info = matcher.with_parent(child.path, parent.info)
        if not child.hidden:
            return True
        # A hidden directory is still sent when something below it is brought back.
        return child.is_dir and matcher.may_bring_back(child.path) and bool(self.children(child))
