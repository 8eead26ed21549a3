"""The recorder: a bounded record of failures, second by second, from counters that may lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_deploy.judge.dispersion import Run
from aipipe_deploy.proxy import recorder
from aipipe_deploy.proxy.detached import Detached
from aipipe_deploy.proxy.recorder import (
    MOST_BYTES,
    MOST_ROWS,
    RECORD,
    Recorder,
    Ring,
    Totals,
    read_totals,
    rows_in,
    totals_of,
)
from aipipe_deploy.sources import runs_before
from aipipe_deploy.targets import Member, Unit

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_700_000_000.0
HERE = ("web", "s1", "10.0.0.9:80")


def unit(*addresses: str) -> Unit:
    members = tuple(Member("w", address, 80, "s1") for address in addresses)
    return Unit(
        service="web", release=1, image="w", digest="", replicas=1, port=80, health="/h",
        members=members, ready=5, drain=5, sticky=False,
    )  # fmt: skip


class Told:
    """A recorder that is told its readings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ring = Ring(path)
        self.recorder = Recorder(self.ring)
        self.now = 0.0

    def take(self, totals: Totals | None, *, step: float = 1.0, leap: float = 0.0) -> None:
        self.now += step
        self.recorder.take(self.now, NOON + self.now + leap, totals)

    def take_all(self, *bad: int) -> None:
        for count in bad:
            self.take({HERE: (100 + round(100 * self.now), count)})

    def runs(self, *addresses: str, started: float = NOON + 1e4) -> list[Run]:
        self.ring.save()
        return runs_before(self.path, unit(*(addresses or ("10.0.0.9",))), started)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / RECORD)


def test_each_second_has_the_failures_since_the_one_before(told: Told) -> None:
    told.take_all(7, 7, 9, 9, 12)

    assert told.runs() == [Run(4, {1: 2, 3: 3})]


def test_the_members_of_a_unit_are_one_and_strangers_are_not_counted(told: Told) -> None:
    other, stranger = ("web", "s2", "10.0.0.8:80"), ("web", "s3", "10.0.0.7:80")
    for step in range(4):
        told.take(dict.fromkeys((HERE, other, stranger), (10 * step, step)))

    assert told.runs("10.0.0.9", "10.0.0.8") == [Run(3, {0: 2, 1: 2, 2: 2})]
    assert told.runs("10.0.0.1") == []


def test_counters_that_began_anew_end_the_row(told: Told) -> None:
    told.take_all(50, 51)
    told.take({HERE: (5, 3)})
    told.take({HERE: (9, 4)})

    assert told.runs() == [Run(1, {0: 1}), Run(1, {0: 1})]


@pytest.mark.parametrize("step", [2.5, 4000.0, 0.0, -3.0])
def test_a_reading_that_is_late_or_early_ends_the_row(told: Told, step: float) -> None:
    told.take_all(0, 1)
    told.take({HERE: (900, 90)}, step=step)
    told.take({HERE: (910, 92)})

    assert told.runs() == [Run(1, {0: 1}), Run(1, {0: 2})]


def test_a_proxy_that_does_not_answer_ends_the_row(told: Told) -> None:
    told.take_all(0, 1)
    told.take(None)
    told.take({HERE: (900, 5)})
    told.take({HERE: (950, 7)})

    assert told.runs() == [Run(1, {0: 1}), Run(1, {0: 2})]


def test_a_slot_that_another_container_got_begins_anew(told: Told) -> None:
    told.take_all(0, 1)
    told.take({("web", "s1", "10.0.0.5:80"): (2000, 500)})
    told.take({("web", "s1", "10.0.0.5:80"): (2010, 501)})

    assert told.runs("10.0.0.5") == [Run(3, {2: 1})]
    assert told.runs() == [Run(3, {0: 1})]


def test_counters_that_stand_still_are_seconds_without_a_failure(told: Told) -> None:
    told.take({HERE: (10, 1)})
    told.take({HERE: (20, 1)})
    for _ in range(5):
        told.take({HERE: (20, 1)})

    assert told.runs() == [Run(6, {})]


def test_only_what_lies_before_the_release_counts(told: Told) -> None:
    told.take_all(0, 1, 2, 3, 4, 5, 6)

    assert told.runs(started=NOON + 4.5) == [Run(3, {0: 1, 1: 1, 2: 1})]
    assert told.runs(started=NOON - 100) == []
    assert told.runs(started=NOON + 7 * 3600) == []


def test_a_wall_clock_that_jumps_moves_rows_and_breaks_nothing(told: Told) -> None:
    for leap in (0.0, -9000.0, 1e6, 0.0):
        told.take({HERE: (round(told.now), 0)}, leap=leap)

    assert told.runs() == [Run(3, {})]


def test_the_record_is_bounded_in_rows_and_in_bytes(told: Told) -> None:
    ring = told.ring
    for second in range(60 * (MOST_ROWS + 40)):
        ring.add(NOON + second, {("web", "a"): (100, second % 7)})
    ring.save()

    assert len(rows_in(told.path)) <= MOST_ROWS
    assert told.path.stat().st_size <= MOST_BYTES
    assert rows_in(told.path)[-1]["at"] == NOON + 60 * (MOST_ROWS + 39) - 1


def test_a_recorder_that_is_started_again_goes_on_with_a_row_of_its_own(told: Told) -> None:
    told.take_all(0, 1)
    told.ring.save()
    again = Told(told.path)
    again.take_all(5, 8)

    assert again.runs() == [Run(1, {0: 1}), Run(1, {0: 3})]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"rows": 3}',
        '{"rows": [1]}',
        '{"rows": [{"at": "x", "seconds": 1}]}',
        '{"rows": [{"at": 1, "seconds": 1e999}]}',
        '{"rows": [{"at": -1e999, "seconds": 1}]}',
        "\0",
    ],
)
def test_a_file_that_is_broken_is_an_empty_record(tmp_path: Path, text: str) -> None:
    path = tmp_path / RECORD
    path.write_text(text)

    assert rows_in(path) == []
    assert runs_before(path, unit("a"), NOON) == []
    Ring(path).save()
    assert json.loads(path.read_text()) == {"schema": 1, "rows": []}


@pytest.mark.parametrize(
    "servers",
    [
        None,
        {"web": 3},
        {"web": {"10.0.0.9:80": {}}},
        {"web": {"10.0.0.9:80": {"bad": {"x": 1}}}},
        {"web": {"10.0.0.9:80": {"bad": {"1": -4}}}},
        {"web": {"10.0.0.9:80": {"bad": {"1": float("nan")}}}},
        {"web": {"10.0.0.9:80": {"bad": {"1": "many"}}}},
    ],
)
def test_a_strange_row_is_passed_over(tmp_path: Path, servers: Any) -> None:
    good = {"at": NOON, "seconds": 9, "servers": {"web": {"10.0.0.9:80": {"bad": {"1": 2}}}}}
    rows = [{"at": NOON, "seconds": 9, "servers": servers}, good]
    (tmp_path / RECORD).write_text(json.dumps({"rows": rows}))

    assert runs_before(tmp_path / RECORD, unit("10.0.0.9"), NOON + 60) == [Run(9, {1: 2})]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "gone" / RECORD)
    ring.add(NOON, {("web", "a"): (1, 1)})
    ring.save()

    assert not (tmp_path / "gone").exists()


def test_what_a_proxy_counts_is_read_by_backend_slot_and_address() -> None:
    text = (
        "# pxname,svname,addr,econ,eresp,wretr,hrsp_2xx,hrsp_5xx\n"
        "web,s1,10.0.0.9:80,1,2,3,90,4\nweb,s2,10.0.0.8:80,,,,,\n"
    )

    assert totals_of(text) == {HERE: (100, 10), ("web", "s2", "10.0.0.8:80"): (0, 0)}
    with pytest.raises((KeyError, ValueError)):
        totals_of("Unknown command\n?\n")


def test_a_socket_that_nobody_listens_at_gives_no_reading(tmp_path: Path) -> None:
    assert read_totals(tmp_path / "haproxy.sock") is None


def test_a_pid_file_of_another_process_is_not_ours(tmp_path: Path) -> None:
    pid_file = tmp_path / recorder.PID
    process = Detached(tmp_path, recorder.__file__, pid_file)
    for text in ("", "one", "1\n", "999999999"):
        pid_file.write_text(text)
        assert process.pid() == 0
    process.end()
