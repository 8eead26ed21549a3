"""A directory is vouched for only while nothing in it can have changed."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from aipipe_build.context.digest import ContentHasher, make_selector
from aipipe_build.context.folder_memo import FolderMemo
from aipipe_build.context.stat_cache import StatCache
from aipipe_build.context.tree import ContextTree
from aipipe_build.ignore.patterns import PatternMatcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Machine:
    """A context and the memory of one builder; each question is as from a process of its own."""

    def __init__(self, root: Path, memory: Path) -> None:
        self.root = root
        self.memory = memory

    def hasher(self, *ignore: str, memo: bool = True) -> ContentHasher:
        cache = StatCache.load(self.memory)
        # As if time had gone by since the files were written.
        cache._now += 10**10
        tree = ContextTree(str(self.root), PatternMatcher(ignore))
        return ContentHasher(tree, cache, FolderMemo(self.memory) if memo else None)

    def key(self, *ignore: str, memo: bool = True) -> str:
        hasher = self.hasher(*ignore, memo=memo)
        digest = hasher.digest([make_selector("/", wildcards=True)])
        hasher.save()
        return digest

    def remembered(self) -> dict[str, list[str]]:
        place = self.memory.with_suffix(".folders.json")
        rows: dict[str, list[str]] = json.loads(place.read_text())["rows"] if place.exists() else {}
        return rows


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    root = tmp_path / "context"
    for name in ("a/one", "a/two", "a/deep/three", "b/four"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "a" / "link").symlink_to("one")
    age()
    return Machine(root, tmp_path / "memory" / "label")


def age() -> None:
    """Let the time of writing go by, so that an equal stat means an equal file."""
    time.sleep(0.03)


def test_what_is_remembered_gives_the_same_key(machine: Machine) -> None:
    plain = machine.key(memo=False)
    assert machine.key() == plain
    assert set(machine.remembered()) == {"", "a", "a/deep", "b"}
    assert machine.key() == plain


def test_no_file_is_looked_up_where_directories_are_vouched_for(machine: Machine) -> None:
    machine.key()
    place = machine.memory.with_suffix(".files.json")
    place.unlink()
    machine.key()
    assert not place.exists()


CHANGES: dict[str, Callable[[Path], object]] = {
    "another content of the same size": lambda root: (root / "a/one").write_text("a/ONE"),
    "the same time set back": lambda root: _behind(root / "a/one"),
    "a mode": lambda root: (root / "a/one").chmod(0o600),
    "the mode of a folder": lambda root: (root / "a/deep").chmod(0o700),
    "a new file": lambda root: (root / "a/new").write_text(""),
    "an empty folder": lambda root: (root / "a/empty").mkdir(),
    "a file gone": lambda root: (root / "a/deep/three").unlink(),
    "another name": lambda root: (root / "a/one").rename(root / "a/uno"),
    "two names exchanged": lambda root: _exchange(root / "a/one", root / "a/two"),
    "a link's text": lambda root: _relink(root / "a/link", "two"),
    "a file for a link": lambda root: _unlink_and_write(root / "a/link"),
    "a folder moved": lambda root: (root / "a/deep").rename(root / "b/deep"),
}


def _behind(path: Path) -> None:
    stat = path.stat()
    path.write_text("a/ONE")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _exchange(one: Path, two: Path) -> None:
    other = one.with_name("other")
    one.rename(other)
    two.rename(one)
    other.rename(two)


def _relink(link: Path, text: str) -> None:
    link.unlink()
    link.symlink_to(text)


def _unlink_and_write(path: Path) -> None:
    path.unlink()
    path.write_text("one")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_and_taken_back_too(machine: Machine, name: str) -> None:
    before = machine.key()
    CHANGES[name](machine.root)
    changed = machine.key()
    assert changed != before
    assert changed == machine.key(memo=False)


def test_a_file_that_was_just_written_makes_no_directory_sure(machine: Machine) -> None:
    future = time.time_ns() + 10**12
    os.utime(machine.root / "b" / "four", ns=(future, future))
    machine.key()
    assert set(machine.remembered()) == {"", "a", "a/deep"}


def test_other_patterns_are_another_directory(machine: Machine) -> None:
    everything = machine.key()
    assert machine.key("a/two") != everything
    assert machine.key("**", "!b") == machine.key("**", "!b", memo=False)
    assert machine.key() == everything


def test_a_directory_with_a_fifo_is_taken_as_it_is(machine: Machine) -> None:
    before = machine.key()
    os.mkfifo(machine.root / "b" / "pipe")
    age()
    assert machine.key() == machine.key(memo=False) != before


def test_what_a_builder_was_sent_names_every_file_all_the_same(machine: Machine) -> None:
    def sent(*, memo: bool) -> tuple[object, object]:
        hasher = machine.hasher(memo=memo)
        hasher.digest([make_selector("/", wildcards=True)])
        return hasher.sent(), hasher.sent_folders()

    machine.key()
    assert sent(memo=True) == sent(memo=False)
    assert len(sent(memo=True)[0]) == 4  # type: ignore[arg-type]


def test_content_behind_an_equal_time_is_the_old_one_for_the_builder(machine: Machine) -> None:
    hasher = machine.hasher()
    recorded = hasher.digest([make_selector("/", wildcards=True)])
    cache = hasher._cache
    cache.save_sent(hasher.sent(), hasher.sent_folders())
    hasher.save()
    _behind(machine.root / "a" / "one")
    age()
    for _ in range(2):  # a directory with such a file is never vouched for
        again = machine.hasher()
        assert again.digest([make_selector("/", wildcards=True)]) == recorded
        assert again._cache.stale
        again.save()


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1, "rows": {"a": 3, "": ["x"]}}'])
def test_a_damaged_memory_is_an_empty_one(machine: Machine, text: str) -> None:
    plain = machine.key()
    machine.memory.with_suffix(".folders.json").write_text(text)
    assert machine.key() == plain
