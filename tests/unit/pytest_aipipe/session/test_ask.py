from __future__ import annotations

import shlex

import pytest

from pytest_aipipe.session.ask import child_words


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("--lf -x --maxfail=3 --maxfail 3 -ra", "-ra"),
        ("--ai-diff --ai-budget 20 --ai-engine=local --cov=pkg", "--cov=pkg"),
        ("--reruns 2 --reruns-delay=1 --only-rerun X --strict-markers", "--strict-markers"),
        ("-m 'not slow' --doctest-modules -p plugin", "-m 'not slow' --doctest-modules -p plugin"),
    ],
)
def test_a_child_heeds_only_what_says_how_the_project_is_seen(given: str, kept: str) -> None:
    assert child_words(shlex.split(given)) == shlex.split(kept)
