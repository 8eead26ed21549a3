"""Content keys: BuildKit's ``contenthash`` over a selection of paths.

A file counts with its content, size, type and the twelve permission bits; a directory with its
own bits and all below it; a link with its text. Times, owners and the names of the selected
paths themselves do not count (names inside a directory do). The digests here are not
BuildKit's bytes, but two selections have equal digests here exactly when they have there.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import posixpath
import stat as stats
from typing import TYPE_CHECKING

from aipipe_build.context.folder_memo import signature, stat_row
from aipipe_build.context.tree import ContextError, ContextTree, Entry
from aipipe_build.ignore.glob import glob_match, has_wildcard, split_wildcard
from aipipe_build.ignore.patterns import PatternMatcher
from aipipe_build.light import light

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aipipe_build.context.folder_memo import FolderMemo
    from aipipe_build.context.stat_cache import StatCache

_MAX_LINKS = 255
_EMPTY = hashlib.sha256(b"").hexdigest()


@light(frozen=True)
class Selector:
    """What of a source a step uses. ``path`` is absolute inside the source."""

    path: str
    wildcard: bool = False
    follow: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def filters(self) -> bool:
        """Whether more than one plain path is meant."""
        return self.wildcard or bool(self.include) or bool(self.exclude)


def make_selector(
    path: str, *, wildcards: bool, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Selector:
    """Build the selector of a COPY source."""
    return Selector(
        path, wildcards and has_wildcard(path), include=tuple(include), exclude=tuple(exclude)
    )


def reduce_selectors(selectors: Iterable[Selector]) -> list[Selector]:
    """Drop plain paths that another one already covers; sort by path."""
    listed = list(selectors)
    plain = {one.path for one in listed if not one.filters}
    kept = [
        Selector(path)
        for path in plain
        if not any(path != other and path.startswith(other.rstrip("/") + "/") for other in plain)
    ]
    return sorted(kept + [one for one in listed if one.filters], key=lambda one: one.path)


class ContentHasher:
    """Digests over one context tree."""

    def __init__(self, tree: ContextTree, cache: StatCache, memo: FolderMemo | None = None) -> None:
        self.tree = tree
        self._cache = cache
        self._memo = memo
        self._used: dict[str, Entry] = {}
        self._remembered: list[Entry] = []

    def digest(self, selectors: Iterable[Selector]) -> str:
        """Return the content key of a selection. Raises :class:`ContextError`."""
        parts = [self._one(selector) for selector in reduce_selectors(selectors)]
        return _combine(parts)

    def manifest(self, selectors: Iterable[Selector]) -> dict[str, str]:
        """Return what a selection holds: path to its own digest, for naming what changed."""
        found: dict[str, str] = {}
        for selector in reduce_selectors(selectors):
            for entry in self._entries(selector):
                found[entry.path] = f"{entry.mode & 0o7777:o} {self._leaf(entry)}"
        return found

    def sent(self) -> dict[str, tuple[int, int, int, str]]:
        """Return size, time, mode and digest of every regular file that was asked for."""
        self._look_into_remembered()
        rows: dict[str, tuple[int, int, int, str]] = {}
        for entry in self._used.values():
            if entry.digest and stats.S_ISREG(entry.mode):
                stat = entry.stat
                rows[entry.path] = (stat.st_size, stat.st_mtime_ns, entry.mode, entry.digest)
        return rows

    def sent_folders(self) -> dict[str, int]:
        """Return the keyed mode of every directory that is sent with what was asked for."""
        self._look_into_remembered()
        rows: dict[str, int] = {}
        for entry in self._used.values():
            for folder in (entry.path, *_parents(entry.path)):
                if folder in rows or not folder:
                    continue
                found, _ = self.tree.lookup(folder)
                if found is not None and found.is_dir:
                    rows[folder] = self._cache.folder_mode(folder, found.mode)
        return rows

    def save(self) -> None:
        """Keep what was learned; where that is not possible the next run is only slower."""
        self._cache.save()
        if self._memo is not None:
            with contextlib.suppress(OSError):
                self._memo.save()

    def _one(self, selector: Selector) -> str:
        if not selector.filters:
            return self._follow(selector.path)
        included = self._included(selector)
        if not included:
            return _EMPTY
        base = posixpath.basename(selector.path)
        rows = [
            (posixpath.basename(shown), self._header(entry, follow=selector.follow))
            for shown, entry in included
        ]
        if len(rows) == 1 and rows[0][0] == base:
            return rows[0][1]
        return _combine(f"{name}\0{digest}" for name, digest in rows)

    def _follow(self, path: str) -> str:
        """Digest one path; a link there is followed inside the context."""
        entry = self._resolve(path)
        return self._recursive(entry)

    def _resolve(self, path: str) -> Entry:
        current = path
        for _ in range(_MAX_LINKS + 1):
            entry, _found = self.tree.lookup(current)
            if entry is None:
                raise ContextError(
                    "copy-source-missing",
                    f"{path.lstrip('/') or '.'} is not in the build context",
                    where=self.tree.root_path,
                    hint="Check the spelling, and whether .dockerignore hides it.",
                )
            if not entry.is_link:
                return entry
            link = entry.link
            current = (
                link if link.startswith("/") else posixpath.join(posixpath.dirname(current), link)
            )
        raise ContextError("context-link-loop", "too many links", where=path)

    def _recursive(self, entry: Entry) -> str:
        if not entry.is_dir:
            return self._leaf(entry)
        if entry.digest is None:
            # The context's own bits are not sent.
            own = self._leaf(entry) if entry.path else ""
            if self._memo is None:
                entry.digest = self._folder(entry, own)
                return entry.digest
            signed = self._signature(entry, own)
            known = self._memo.digest(entry.path, signed)
            entry.digest = known or self._folder(entry, own)
            if known:
                self._remembered.append(entry)
            elif not any(map(self._cache.doubts, self.tree.children(entry).values())):
                self._memo.keep(entry.path, signed, entry.digest)
        return entry.digest

    def _folder(self, entry: Entry, own: str) -> str:
        children = self.tree.children(entry)
        parts = [own]
        for name in sorted(children):
            child = children[name]
            # Nearly all of a context are files: they go the short way.
            known = self._leaf(child) if child.is_file else self._recursive(child)
            parts.append(f"{name}\0{known}")
        return _combine(parts)

    def _signature(self, entry: Entry, own: str) -> str:
        """Return all that decides a directory's digest: stats of its files, digests of folders."""
        rows: list[tuple[str | int, ...]] = [(own,)]
        for name, stat in self.tree.visible(entry):
            if stat.st_mode & 0o170000 == stats.S_IFDIR:
                rows.append((name, self._recursive(self.tree.folder(entry, name, stat))))
            else:
                rows.append(stat_row(name, stat))
        return signature(rows)

    def _look_into_remembered(self) -> None:
        """Take up one by one the files that were vouched for together."""
        for entry in self._remembered:
            for child in self.tree.children(entry).values():
                self._leaf(child)
        self._remembered.clear()

    def _leaf(self, entry: Entry) -> str:
        """Digest an entry alone, without its children."""
        self._used[entry.path] = entry
        if entry.is_file:
            if entry.digest is None:
                absolute = f"{self.tree.root_path}/{entry.path}"
                try:
                    entry.digest = self._cache.digest(entry.path, absolute, entry.stat)
                except OSError as error:
                    raise ContextError(
                        "context-unreadable",
                        f"a file of the build context cannot be read: {error.strerror}",
                        where=absolute,
                        hint="Make it readable or list it in .dockerignore.",
                    ) from error
            return f"{_file_head(entry.mode)}{entry.digest}"
        kind = stats.S_IFMT(entry.mode)
        if kind == stats.S_IFLNK:
            return f"l:{entry.link}"
        if kind == stats.S_IFDIR:
            return f"d{self._cache.folder_mode(entry.path, entry.mode) & 0o7777:o}"
        device = entry.stat.st_rdev if kind in (stats.S_IFCHR, stats.S_IFBLK) else 0
        return f"s{kind:o}:{entry.mode & 0o7777:o}:{os.major(device)}:{os.minor(device)}"

    def _header(self, entry: Entry, *, follow: bool) -> str:
        if entry.is_link and follow:
            return self._follow("/" + entry.path)
        return self._leaf(entry)

    def _entries(self, selector: Selector) -> list[Entry]:
        if selector.filters:
            return [entry for _, entry in self._included(selector)]
        return list(self.tree.walk(self._resolve(selector.path)))

    def _included(self, selector: Selector) -> list[tuple[str, Entry]]:
        """List what a wildcard or filtered selector takes, in BuildKit's order."""
        if not selector.wildcard:
            entry, _ = self.tree.lookup(selector.path)
            if entry is None:
                return []
            shown = selector.path.rstrip("/")
            return _Filter(self.tree, selector).below(entry, shown)
        prefix, rest = split_wildcard(selector.path)
        start = self._resolve_directory(prefix)
        if start is None or not rest:
            return []
        shown = "" if prefix == "/" else prefix
        found: list[tuple[str, Entry]] = []
        for path, entry in self._matching(start, shown, selector.path):
            found += _Filter(self.tree, selector).below(entry, path)
        return found

    def _resolve_directory(self, path: str) -> Entry | None:
        try:
            return self._resolve(path)
        except ContextError:
            return None

    def _matching(self, start: Entry, shown: str, pattern: str) -> list[tuple[str, Entry]]:
        """Return the topmost entries whose path matches, in order."""
        depth = pattern.count("/")
        found: list[tuple[str, Entry]] = []
        if not start.is_dir:
            return found
        children = self.tree.children(start)
        for name in sorted(children):
            path = f"{shown}/{name}"
            if glob_match(pattern, path):
                found.append((path, children[name]))
            elif children[name].is_dir and path.count("/") < depth:
                found += self._matching(children[name], path, pattern)
        return found


class _Filter:
    """``--parents`` and ``--exclude`` below one matched path."""

    def __init__(self, tree: ContextTree, selector: Selector) -> None:
        self._tree = tree
        self._include = PatternMatcher(selector.include) if selector.include else None
        self._exclude = PatternMatcher(selector.exclude) if selector.exclude else None

    def below(self, entry: Entry, shown: str) -> list[tuple[str, Entry]]:
        found: list[tuple[str, Entry]] = []
        self._visit(entry, shown, "", [], found)
        return found

    def _visit(
        self,
        entry: Entry,
        shown: str,
        relative: str,
        parents: list[tuple[str, Entry]],
        found: list[tuple[str, Entry]],
    ) -> None:
        wanted = self._wanted(relative) and bool(entry.path)
        if wanted:
            # A directory's own entry comes with the first thing taken from inside it.
            found += [parent for parent in parents if parent not in found]
            found.append((shown, entry))
        if not entry.is_dir:
            return
        above = parents if wanted or not entry.path else [*parents, (shown, entry)]
        children = self._tree.children(entry)
        for name in sorted(children):
            below = f"{relative}/{name}" if relative else name
            self._visit(children[name], f"{shown}/{name}", below, above, found)

    def _wanted(self, relative: str) -> bool:
        if self._include and not (relative and self._include.matches(relative)):
            return False
        return not (self._exclude and relative and self._exclude.matches(relative))


@functools.cache
def _file_head(mode: int) -> str:
    """Return the permission bits of a file as its key holds them; a context has few of them."""
    return f"f{mode & 0o7777:o}:"


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _combine(parts: Iterable[str]) -> str:
    text = "\n".join(parts)
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()
