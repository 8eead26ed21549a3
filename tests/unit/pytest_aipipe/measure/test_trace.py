from __future__ import annotations

import json

from pytest_aipipe.measure.recorder import _pattern, nodeid_of
from pytest_aipipe.measure.trace import Trace, lines_of, merge, packed, union, unpacked

ONE: Trace = {"t::a": {"x.py": frozenset({(-1, 1), (1, 2)})}}
TWO: Trace = {"t::a": {"x.py": frozenset({(2, -1)})}, "": {"y.py": frozenset({(1, 1)})}}


def test_traces_of_workers_are_united() -> None:
    both = merge([ONE, TWO])
    assert both == merge([TWO, ONE])
    assert both["t::a"]["x.py"] == {(-1, 1), (1, 2), (2, -1)}
    assert union(both) == {"x.py": both["t::a"]["x.py"], "y.py": frozenset({(1, 1)})}
    assert union(both, ["", "gone"]) == {"y.py": frozenset({(1, 1)})}


def test_a_trace_survives_the_wire() -> None:
    both = merge([ONE, TWO])
    assert unpacked(json.loads(json.dumps(packed(both)))) == both


def test_lines_are_the_positive_ends_of_arcs() -> None:
    assert lines_of({(-1, 1), (1, 2), (2, -1)}) == {1, 2}


def test_a_context_names_its_test_whatever_the_test_is_called() -> None:
    assert nodeid_of("t.py::test_a[x|y]|run") == "t.py::test_a[x|y]"
    assert nodeid_of("") == ""


def test_a_file_name_with_signs_of_globs_is_measured_all_the_same() -> None:
    assert _pattern("/a[1]/b*.py") == "/a?1?/b?.py"
