from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_aipipe.measure.analysis import FileCoverage
from pytest_aipipe.report.cobertura import cobertura

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SEEN = FileCoverage(
    statements=frozenset({2, 3, 4}),
    executed=frozenset({2, 3}),
    branches=frozenset({(2, 3), (2, 4)}),
    executed_branches=frozenset({(2, 3)}),
)
NOTHING = FileCoverage(frozenset(), frozenset(), frozenset(), frozenset())


def parsed(text: str) -> Element:
    return ET.fromstring(text)


def test_each_changed_line_says_whether_it_ran_and_how_many_of_its_ways() -> None:
    found = parsed(cobertura({"a.py": SEEN}))
    (one,) = found.iter("class")
    assert one.attrib["filename"] == "a.py"
    assert [line.attrib for line in one.iter("line")] == [
        {"number": "2", "hits": "1", "branch": "true", "condition-coverage": "50% (1/2)"},
        {"number": "3", "hits": "1"},
        {"number": "4", "hits": "0"},
    ]


def test_the_sums_are_those_of_all_files() -> None:
    found = parsed(cobertura({"b.py": SEEN, "a.py": SEEN})).attrib
    assert (found["lines-covered"], found["lines-valid"]) == ("4", "6")
    assert (found["branches-covered"], found["branches-valid"]) == ("2", "4")
    assert (found["line-rate"], found["branch-rate"]) == ("0.6667", "0.5")


def test_a_change_without_a_line_that_runs_is_a_whole_report() -> None:
    for files in ({}, {"a.py": NOTHING}):
        found = parsed(cobertura(files))
        assert found.attrib["line-rate"] == "1"
        assert list(found.iter("line")) == []


def test_a_hostile_path_stays_one_attribute() -> None:
    path = 'a"/><line number="9" hits="1"/>\x07&\n.py'
    (one,) = parsed(cobertura({path: SEEN})).iter("class")
    assert one.attrib["filename"] == 'a"/><line number="9" hits="1"/>\\x07& .py'


def test_the_same_run_is_the_same_text() -> None:
    assert cobertura({"b.py": SEEN, "a.py": NOTHING}) == cobertura({"a.py": NOTHING, "b.py": SEEN})
