"""Content keys: what of a file counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aipipe_build.context.digest import ContentHasher, Selector, make_selector, reduce_selectors
from aipipe_build.context.stat_cache import StatCache
from aipipe_build.context.tree import ContextError, ContextTree
from aipipe_build.ignore.patterns import PatternMatcher

if TYPE_CHECKING:
    from pathlib import Path


def key(root: Path, *paths: str, ignore: tuple[str, ...] = ()) -> str:
    tree = ContextTree(str(root), PatternMatcher(ignore))
    hasher = ContentHasher(tree, StatCache())
    return hasher.digest([make_selector(path, wildcards=True) for path in paths])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_text("one")
    (tmp_path / "d" / "l").symlink_to("a")
    (tmp_path / "b.txt").write_text("two")
    return tmp_path


def test_times_and_owners_do_not_count_but_bits_do(root: Path) -> None:
    before = key(root, "/d")
    os.utime(root / "d" / "a", (1, 1))
    assert key(root, "/d") == before
    (root / "d" / "a").chmod(0o600)
    assert key(root, "/d") != before


def test_where_a_file_lies_does_not_count(root: Path) -> None:
    (root / "e").mkdir()
    (root / "e" / "b.txt").write_text("two")
    assert key(root, "/b.txt") == key(root, "/e/b.txt")


def test_a_link_is_followed_at_the_top_and_counts_as_text_below(root: Path) -> None:
    (root / "top").symlink_to("d/a")
    assert key(root, "/top") == key(root, "/d/a")
    before = key(root, "/d")
    (root / "d" / "l").unlink()
    (root / "d" / "l").symlink_to("./a")
    assert key(root, "/d") != before


def test_an_empty_directory_counts(root: Path) -> None:
    before = key(root, "/")
    (root / "d" / "empty").mkdir()
    assert key(root, "/") != before


def test_a_hidden_file_does_not_count(root: Path) -> None:
    before = key(root, "/", ignore=("*.log",))
    (root / "x.log").write_text("x")
    assert key(root, "/", ignore=("*.log",)) == before
    assert key(root, "/") != before


def test_a_wildcard_counts_the_names_that_it_matches(root: Path) -> None:
    before = key(root, "/*.txt")
    (root / "b.txt").rename(root / "c.txt")
    assert key(root, "/*.txt") != before
    assert key(root, "/nothing*") == key(root, "/nowhere*")


def test_excluded_files_do_not_count(root: Path) -> None:
    def excluding() -> str:
        hasher = ContentHasher(ContextTree(str(root), None), StatCache())
        return hasher.digest([make_selector("/", wildcards=True, exclude=("*.txt",))])

    before = excluding()
    (root / "b.txt").write_text("other")
    assert excluding() == before
    (root / "d" / "a").write_text("other")
    assert excluding() != before


def test_a_missing_source_is_told(root: Path) -> None:
    with pytest.raises(ContextError, match="copy-source-missing"):
        key(root, "/nowhere")


def test_a_path_below_another_is_read_once() -> None:
    paths = [Selector("/a"), Selector("/a/b"), Selector("/ab"), Selector("/a")]
    assert [one.path for one in reduce_selectors(paths)] == ["/a", "/ab"]


def test_the_cache_never_trusts_a_file_that_was_just_written(tmp_path: Path) -> None:
    path = tmp_path / "f"
    cache = StatCache.load(tmp_path / "memory")
    path.write_text("one")
    first = cache.digest("f", str(path), path.stat())
    path.write_text("two")
    assert cache.digest("f", str(path), path.stat()) != first
