"""A lower bound that what is installed has passed decides nothing."""

from __future__ import annotations

import pytest

from aipipe_core.change.bounds import floorless, installed


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        ("lib", "lib"),
        ("lib>=1", "lib"),
        ("lib > 2.9", "lib"),
        ("lib>=1,<4", "lib<4"),
        ("lib>=1, !=2.5", "lib!=2.5"),
        ("lib[extra]>=1; python_version>'3.8'", 'lib[extra];python_version>"3.8"'),
        ("lib>=3", "lib"),
        ("lib>=3.1", "lib>=3.1"),
        ("lib>3", "lib>3"),
        ("lib == 3", "lib==3"),
        ("lib~=2.0", "lib~=2.0"),
        ("lib<4", "lib<4"),
        ("other>=1", "other>=1"),
        ("lib==3 --hash=sha256:00", "lib==3--hash=sha256:00"),
        ("git+https://example.org/lib", "git+https://example.org/lib"),
    ],
)
def test_only_a_lower_bound_that_is_met_is_taken_away(asked: str, counts: str) -> None:
    assert floorless(asked, {"lib": "3"}.get) == counts


def test_without_versions_no_lower_bound_counts_and_every_other_does() -> None:
    assert floorless("lib>=99", None) == "lib"
    assert floorless("lib>=99,<100", None) == "lib<100"


def test_a_first_release_meets_the_bound_that_it_is_above() -> None:
    assert floorless("lib>=2", {"lib": "3.0rc1"}.get) == "lib"
    assert floorless("lib>=3", {"lib": "3.0rc1"}.get) == "lib>=3"


def test_what_is_installed_is_asked_of_the_packages_that_are_here() -> None:
    assert installed("pytest") == pytest.__version__
    assert installed("no-such-package") is None
