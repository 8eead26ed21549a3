"""`.dockerignore`: moby's semantics, pattern by pattern."""

from __future__ import annotations

import pytest

from aipipe_build.ignore.glob import glob_match, has_wildcard, split_wildcard
from aipipe_build.ignore.patterns import IgnoreError, PatternMatcher, read_ignore_file


@pytest.mark.parametrize(
    ("patterns", "path", "hidden"),
    [
        (["a"], "a", True),
        (["a"], "b/a", False),
        (["a"], "a/b/c", True),
        (["*.log"], "x.log", True),
        (["*.log"], "d/x.log", False),
        (["**/*.log"], "d/e/x.log", True),
        (["**/*.log"], "x.log", True),
        (["**/node"], "a/node/b", True),
        (["**/node"], "nodes", False),
        (["d/**"], "d", False),
        (["d/**"], "d/a/b", True),
        (["d/*"], "d/a", True),
        (["**"], "anything/at/all", True),
        (["a?"], "ab", True),
        (["a?"], "a", False),
        (["a[0-9]"], "a7", True),
        (["a.b"], "axb", False),
        (["a\\*"], "a*", True),
        (["a\\*"], "ab", False),
        (["d", "!d/keep"], "d/keep", False),
        (["d", "!d/keep"], "d/other", True),
        (["!d/keep", "d"], "d/keep", True),
        (["*", "!src"], "src/a", False),
        (["d", "!d/*.md", "d/b.md"], "d/b.md", True),
        (["d", "!d/*.md", "d/b.md"], "d/a.md", False),
        (["a/../b"], "b", True),
        (["A"], "a", False),
    ],
)
def test_a_path_is_hidden_or_not(patterns: list[str], path: str, hidden: bool) -> None:
    assert PatternMatcher(patterns).matches(path) is hidden


@pytest.mark.parametrize("patterns", [["a", "*.log", "**/x", "d/**", "e/*/f", "g?"]])
@pytest.mark.parametrize("path", ["a", "b", "y.log", "d/y.log", "p/q/x", "x", "d/z", "e/1/f", "gg"])
def test_joined_patterns_hide_what_single_ones_hide(patterns: list[str], path: str) -> None:
    assert PatternMatcher(patterns).matches(path) is any(
        PatternMatcher([pattern]).matches(path) for pattern in patterns
    )


def test_only_directories_that_an_exception_may_reach_are_looked_into() -> None:
    matcher = PatternMatcher(["d", "e", "!d/x/y"])
    assert matcher.may_bring_back("d")
    assert matcher.may_bring_back("d/x")
    assert not matcher.may_bring_back("e")
    assert PatternMatcher(["**", "!**/*.py"]).may_bring_back("anything")


@pytest.mark.parametrize("pattern", ["!", "[", "a[", "a\\"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(IgnoreError):
        PatternMatcher([pattern])


def test_the_file_is_read_as_moby_reads_it() -> None:
    data = b"\xef\xbb\xbfa  \n# comment\n #b\n\n/c/\r\n! d\n./e/../f\n!/g\n"
    assert read_ignore_file(data) == ["a", "#b", "c", "!d", "f", "!g"]


@pytest.mark.parametrize(
    ("pattern", "path", "match"),
    [
        ("/a*", "/abc", True),
        ("/a*", "/a/b", False),
        ("/a[0-9]", "/a1", True),
        ("/a[^0-9]", "/a1", False),
        ("/a[b-d]?", "/ac1", True),
        ("/a\\*", "/a*", True),
        ("/p/*/f", "/p/x/f", True),
        ("/p/*/f", "/p/x/y/f", False),
    ],
)
def test_a_wildcard_stops_at_a_slash(pattern: str, path: str, match: bool) -> None:
    assert glob_match(pattern, path) is match


def test_a_wildcard_path_is_split_at_its_first_wildcard() -> None:
    assert split_wildcard("/a/b/c*/d") == ("/a/b", "c*/d")
    assert split_wildcard("/*") == ("/", "*")
    assert not has_wildcard("a\\*b")
