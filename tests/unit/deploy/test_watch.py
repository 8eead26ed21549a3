"""The watch: the proxy's counters, probes and containers before one judge."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.errors import SurroundingsError
from aipipe_deploy.config import Watch
from aipipe_deploy.journal import Release, State
from aipipe_deploy.judge import Arm, Outcome
from aipipe_deploy.proxy.runtime import ServerStats
from aipipe_deploy.release.moves import Move
from aipipe_deploy.release.watch import Window
from aipipe_deploy.sources import Probes, ProxyCounters
from aipipe_deploy.targets import Faults, Member, Memory, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator


def unit(release: int, slot: str) -> Unit:
    return Unit(
        service="web", release=release, image="w", digest="", replicas=1, port=80, health="/h",
        members=(Member(f"web-r{release}", "127.0.0.1", 9, slot),), ready=5, drain=5, sticky=False,
    )  # fmt: skip


RELEASE = Release(
    2, "blue-green", "", State.RUNNING, 0.0, None, 1, "",
    units={"web": unit(2, "s2")}, before={"web": unit(1, "s1")},
)  # fmt: skip
MOVE = Move("watch", {"seconds": 30.0, "services": {"web": [0]}})


class World:
    """A proxy whose counters grow with a clock that nobody waits for."""

    def __init__(
        self, bad: float = 0.0, *, silent: bool = False, answers: Path = Path("/nowhere/a.sock")
    ) -> None:
        self.now = 0.0
        self.bad = bad
        self.silent = silent
        self.answers = answers
        self.reset_at = -1.0
        self.crash_at = 1e9
        self.restarts_at = 1e9
        self.proxy = self.target = self.runtime = self

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def stats(self) -> dict[tuple[str, str], ServerStats]:
        if self.silent:
            raise SurroundingsError("proxy-down", "gone")
        since = self.now - self.reset_at if self.now >= self.reset_at > 0 else self.now
        old, new = int(50 * since), int(50 * since)
        return {
            ("web", "s1"): ServerStats("web", "s1", "UP", "L7OK", 0, old, 0),
            ("web", "s2"): ServerStats("web", "s2", "UP", "L7OK", 0, new, int(new * self.bad)),
        }

    def memory(self, *units: Unit) -> dict[str, Memory]:
        self.asked_for_memory = [member.name for unit in units for member in unit.members]
        return {}

    def faults(self, _unit: Unit) -> Faults:
        dead = ("web-r2 exited with exit code 137",) if self.now >= self.crash_at else ()
        return Faults(dead, int(self.now >= self.restarts_at))


def watched(world: World) -> Any:
    window = Window(world, Watch(probes=0.0, tick=0.25), world.sleep, world.clock)  # type: ignore[arg-type]
    return window.watch(RELEASE, MOVE)


def test_a_version_like_the_old_one_passes() -> None:
    assert watched(World()).outcome is Outcome.PASS


def test_one_that_fails_more_is_told_within_seconds() -> None:
    verdict = watched(World(bad=0.2))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.t < 15


@pytest.mark.parametrize(("what", "word"), [("crash_at", "137"), ("restarts_at", "again")])
def test_a_crash_needs_no_statistics(what: str, word: str) -> None:
    world = World()
    setattr(world, what, 5.0)
    verdict = watched(world)

    assert verdict.outcome is Outcome.FAIL
    assert word in verdict.reason
    assert verdict.t < 7


def test_what_failed_in_clumps_before_the_release_counts_for_less(tmp_path: Path) -> None:
    started = 1_700_000_000.0
    clumps = {str(second): 9 for second in range(0, 60, 6)}
    row = {"at": started - 70, "seconds": 60, "servers": {"web": {"127.0.0.1:9": {"bad": clumps}}}}
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"rows": [row]}))
    release = replace(RELEASE, started=started)
    plain, clumped = (
        Window(w, Watch(probes=0.0, tick=0.25), w.sleep, w.clock, record=file).watch(release, MOVE)  # type: ignore[arg-type]
        for w, file in ((World(bad=0.2), None), (World(bad=0.2), record))
    )

    assert plain.outcome is clumped.outcome is Outcome.FAIL
    assert plain.t < clumped.t
    assert "counted as 1/" in clumped.reason
    assert "counted as" not in plain.reason


def test_a_verdict_waits_for_nobody_who_is_still_asking() -> None:
    world, answer = World(bad=0.2), threading.Event()
    world.memory = lambda *_: answer.wait(60) and {}  # type: ignore[method-assign, assignment]
    verdict = watched(world)
    asking = [thread for thread in threading.enumerate() if thread.name == "memory"]
    answer.set()

    assert verdict.outcome is Outcome.FAIL
    assert asking

    for thread in asking:
        thread.join(30)


def test_counters_that_begin_anew_are_nobodys_fault() -> None:
    world = World()
    world.reset_at = 6.0

    assert watched(world).outcome is Outcome.PASS


def test_a_proxy_that_does_not_answer_is_no_reason_to_roll_back() -> None:
    verdict = watched(World(silent=True))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("no answer" in finding for finding in verdict.findings)


def test_a_slot_that_the_proxy_does_not_show_is_no_reading() -> None:
    world = World()
    world.now = 3.0
    source = ProxyCounters(world, "web", old=("s1",), new=("s9",), clock=world.clock)  # type: ignore[arg-type]

    assert source.totals().new is None
    assert source.totals().old == Arm(150, 0)


class Half(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(500 if self.asked % 2 else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Half) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def test_probes_count_what_was_answered_and_what_failed(port: int) -> None:
    probes = Probes([Member("a", "127.0.0.1", port)], "/h", rate=1000.0)
    probes.start()
    for _ in range(1000):
        if probes.arm.requests >= 10:
            break
        threading.Event().wait(0.01)
    probes.stop()
    arm = probes.arm

    assert arm.requests >= 10
    assert abs(arm.bad - arm.requests / 2) <= 1


def test_a_probe_of_nobody_counts_as_failed() -> None:
    probes = Probes([Member("a", "127.0.0.1", 9)], "/h", rate=1000.0)
    probes.start()
    for _ in range(1000):
        if probes.arm.requests:
            break
        threading.Event().wait(0.01)
    probes.stop()

    assert probes.arm.bad == probes.arm.requests > 0
