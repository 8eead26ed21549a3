"""How grave: vectors of three versions, words of many databases, and what is unknown."""

from __future__ import annotations

import sys

import pytest

from aipipe_build.scan.severity import gravest, of_vector, of_word, reaches, severity_of
from aipipe_core.errors import SurroundingsError


@pytest.mark.parametrize(
    ("vector", "level"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "critical"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "high"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "none"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "critical"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "high"),
        ("CVSS:3.1/AV:N", "unknown"),
        ("CVSS:4.0/x", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_vector_has_a_level(vector: str, level: str) -> None:
    assert of_vector(vector) == level


@pytest.mark.parametrize(
    ("word", "level"),
    [("MODERATE", "medium"), ("Important", "high"), ("?", "unknown"), (None, "unknown")],
)
def test_a_databases_own_word_has_a_level(word: object, level: str) -> None:
    assert of_word(word) == level


def test_the_gravest_of_all_that_is_told_counts() -> None:
    document = {
        "severity": [{"type": "CVSS_V3", "score": "broken"}, {"type": "Ubuntu", "score": "low"}],
        "database_specific": {"severity": "HIGH"},
        "ecosystem_specific": {"urgency": "unimportant"},
    }
    assert severity_of(document) == "high"
    assert gravest([]) == "unknown"


def test_unknown_is_no_comfort() -> None:
    assert reaches("unknown", "critical")
    assert not reaches("none", "low")
    assert reaches("high", "high")


def test_without_its_library_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvss", None)
    with pytest.raises(SurroundingsError, match="cvss-not-installed"):
        of_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
