from __future__ import annotations

from pytest_aipipe.explore.guards import Recorder
from pytest_aipipe.explore.operands import members_of

MARKS = frozenset(chr(n) for n in range(0x80, 0x100))


def test_a_container_that_is_too_long_to_write_is_noted_by_some_of_its_members() -> None:
    recorder = Recorder()
    recorder.begin()
    assert recorder.compare("shop.py", 3, "in", "x", MARKS) is False
    (seen,) = recorder.seen
    assert seen["left"] == '"x"'
    assert seen["right"].endswith(", ...}")
    assert {eval(one) for one in members_of(seen["right"])} <= MARKS
    assert len(members_of(seen["right"])) > 5


def test_a_container_that_can_be_written_is_noted_whole() -> None:
    recorder = Recorder()
    recorder.begin()
    recorder.compare("shop.py", 3, "not in", 1, {1, 2})
    assert recorder.seen[0]["right"] == "{1, 2}"


def test_other_comparisons_show_no_members() -> None:
    recorder = Recorder()
    recorder.begin()
    recorder.compare("shop.py", 3, "==", "x", MARKS)
    assert recorder.seen[0]["right"] is None
