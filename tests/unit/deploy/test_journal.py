"""The journal and its lease, on a real file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aipipe_core.errors import SurroundingsError
from aipipe_deploy.journal import Journal, Release, State
from aipipe_deploy.journal import lease as leases
from aipipe_deploy.journal.lease import Owner
from aipipe_deploy.journal.schema import BALLAST
from aipipe_deploy.release.moves import Move
from aipipe_deploy.targets import Member, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


UNIT = Unit(
    service="web", release=1, image="shop/web:1", digest="sha256:1",
    members=(Member("shop-web-r1-1", "10.1.1.2", 8000, "s1"),), replicas=1, port=8000,
    health="/health", ready=5.0, drain=5.0, sticky=False, env=(("A", "b"),), secrets=("TOKEN",),
)  # fmt: skip


def release(number: int = 1) -> Release:
    unit = replace(UNIT, release=number)
    return Release(
        number, "blue-green", "because", State.RUNNING, 1.0, None, None, "", {"web": unit}, {}, {"risk": "low"}
    )  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "state")) as opened:
        yield opened


def test_what_is_written_is_read_back(journal: Journal) -> None:
    moves = [Move("prepare"), Move("shift", {"share": 1.0, "weights": [["web", "s1", 200]]})]
    with journal.lease():
        journal.begin(release(), moves)
        first, second = journal.entries(1)
        journal.mark(1, first, "done", "well")

    assert journal.last() == release()
    assert [entry.move for entry in (first, second)] == moves
    assert [(e.state, e.note) for e in journal.entries(1)] == [("done", "well"), ("planned", "")]
    assert journal.serving() is None
    assert journal.next_id() == 2


def test_a_way_back_is_decided_once(journal: Journal) -> None:
    with journal.lease():
        journal.begin(release(), [Move("prepare")])
        journal.turn_back(1, [Move("shift", {"n": 1})], "bad")
        journal.turn_back(1, [Move("shift", {"n": 2})], "worse")

    found = journal.last()
    assert found is not None
    assert (found.state, found.outcome) == (State.ROLLING_BACK, "bad")
    assert [e.move.params["n"] for e in journal.entries(1) if e.back] == [1]


def test_what_serves_is_the_newest_release_that_was_not_undone(journal: Journal) -> None:
    with journal.lease():
        for number in (1, 2, 3):
            journal.begin(release(number), [])
            journal.state(number, State.DONE)
        journal.state(3, State.ROLLED_BACK, "by hand")

    serving = journal.serving()
    assert serving is not None
    assert serving.id == 2
    assert [r.state for r in journal.history()] == [State.ROLLED_BACK, State.DONE, State.DONE]


def test_nothing_is_written_without_the_lease(journal: Journal) -> None:
    with pytest.raises(SurroundingsError) as caught:
        journal.begin(release(), [])
    assert caught.value.slug == "lease-lost"
    assert journal.last() is None


def hold(folder: Path) -> subprocess.Popen[str]:
    """Start another process that takes the lease and keeps it."""
    code = (
        "import sys, pathlib; from aipipe_deploy.journal import Journal\n"
        "with Journal(pathlib.Path(sys.argv[1])).lease():\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_of_two_runners_one_acts_and_a_dead_one_blocks_nobody(journal: Journal) -> None:
    with hold(journal.path.parent) as child:
        with pytest.raises(SurroundingsError, match=str(child.pid)) as caught:
            journal.lease()
        child.kill()
        child.wait()
        with journal.lease() as held:
            journal.begin(release(), [])

    assert caught.value.slug == "release-under-way"
    assert held.token == 2


def test_a_lease_that_was_given_up_is_free_at_once(journal: Journal) -> None:
    with hold(journal.path.parent) as child:
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
    with journal.lease() as held:
        assert held.token == 2


def test_a_runner_that_was_overtaken_writes_nothing_more(journal: Journal, tmp_path: Path) -> None:
    journal.lease()
    with closing(Journal(tmp_path / "state")) as second:
        second.lease()  # the same process: its own earlier lease does not stand in the way
        second.begin(release(), [])
        with pytest.raises(SurroundingsError) as caught:
            journal.state(1, State.DONE)
        last = second.last()

    assert caught.value.slug == "lease-lost"
    assert last is not None
    assert last.state is State.RUNNING


def test_of_those_who_come_at_once_one_gets_the_lease(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    tokens: list[int] = []
    start = threading.Barrier(4)

    def take() -> None:
        with closing(Journal(tmp_path)) as opened:
            start.wait()
            with suppress(SurroundingsError):
                tokens.append(opened.lease().token)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tokens) == len(set(tokens))
    assert 1 in tokens


def test_the_wall_clock_may_jump(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with hold(journal.path.parent) as child:
        for moment in (0.0, 4e9):
            monkeypatch.setattr("time.time", lambda moment=moment: moment)
            with pytest.raises(SurroundingsError, match="Another runner"):
                journal.lease()
        child.kill()


def test_a_lease_of_before_the_machines_restart_is_void() -> None:
    mine = Owner.me()

    assert not mine.is_dead()
    assert replace(mine, boot="another").is_dead()
    assert replace(mine, born="1").is_dead()
    assert not replace(mine, host="elsewhere", born="1").is_dead()


def test_a_lease_ends_by_itself_where_its_owner_cannot_be_seen(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    journal.lease()
    monkeypatch.undo()
    with pytest.raises(SurroundingsError):
        journal.lease()
    later = leases.uptime() + leases.SECONDS + 1
    monkeypatch.setattr(leases, "uptime", lambda: later)

    assert journal.lease().token == 2


def test_room_for_the_way_back_is_held_on_disk(journal: Journal) -> None:
    with journal.lease():
        assert (journal.path.parent / "ballast").stat().st_size == BALLAST


def test_no_secret_can_be_in_the_journal(journal: Journal) -> None:
    with journal.lease():
        journal.begin(release(), [])

    assert UNIT.secrets == ("TOKEN",)
    assert Unit.from_json(UNIT.as_json()) == UNIT


def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(SurroundingsError) as caught:
        Journal(tmp_path)
    assert caught.value.slug == "journal-newer"


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database" * 100)
    with pytest.raises(SurroundingsError, match=r"journal\.db") as caught:
        Journal(tmp_path)
    assert caught.value.slug == "journal-failed"
