"""Debian's order of versions, checked against dpkg itself where it is there."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from aipipe_build.scan.debian import DebianVersion

# Each is older than the next; examples of deb-version(7) and of dpkg's own tests.
ASCENDING = [
    "0~", "0", "0.1", "1.0~~", "1.0~~a", "1.0~", "1.0~rc1", "1.0~rc1-1", "1.0", "1.0-1~bpo1",
    "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0a", "1.0b", "1.0+git1", "1.0.1", "1.2", "1.10",
    "2.0", "10", "1:0.1", "1:1", "2:0",
]  # fmt: skip


def test_versions_come_in_debians_order() -> None:
    parsed = [DebianVersion(text) for text in ASCENDING]
    assert sorted(parsed) == parsed
    for one, other in itertools.pairwise(parsed):
        assert one < other
        assert one != other


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="there is no dpkg")
def test_dpkg_says_the_same() -> None:
    for one, other in itertools.pairwise(ASCENDING):
        subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=True)


@pytest.mark.parametrize(("one", "other"), [("1.0", "0:1.0"), ("1.0-0", "1.0"), ("1.00", "1.0")])
def test_some_spellings_are_the_same_version(one: str, other: str) -> None:
    assert DebianVersion(one) == DebianVersion(other)
    assert hash(DebianVersion(one)) == hash(DebianVersion(other))


@pytest.mark.parametrize("text", ["", "1 0", "a:1", "1.0_2", "ü1", "-1"])
def test_what_dpkg_would_not_take_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="no Debian version"):
        DebianVersion(text)
