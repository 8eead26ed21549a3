"""Plans, their inverses, and a runner in a world that is made of dictionaries."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_deploy.config import Deploy, parse_deploy
from aipipe_deploy.journal import Journal, Release, State
from aipipe_deploy.judge import Outcome, Verdict
from aipipe_deploy.proxy.slots import Slot
from aipipe_deploy.release.inverse import way_back
from aipipe_deploy.release.plan import Plan, make_plan, new_units
from aipipe_deploy.release.runner import Runner
from aipipe_deploy.strategies import Choice
from aipipe_deploy.targets import DockerHost, Shell, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe_deploy.release.moves import Move

STRATEGIES = ("rolling", "blue-green", "canary", "hotfix")
GOOD = Verdict(Outcome.PASS, 1.0, "fine")
BAD = Verdict(Outcome.FAIL, 1.0, "it fails more")
UNSURE = Verdict(Outcome.INCONCLUSIVE, 1.0, "too few")


def configured(*, irreversible: bool = False) -> Deploy:
    jobs = [{"name": "migrate", "command": "true", "irreversible": irreversible}]
    web = {"image": "w", "port": 80, "replicas": 2, "jobs": jobs, "after": ["api"]}
    return parse_deploy({"services": {"api": {"image": "a", "port": 81}, "web": web}}, where="x")


class World:
    """What Docker and HAProxy would show: containers by unit, weights by slot."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.there: set[str] = set()
        self.weights: dict[str, int] = {}
        self.ran: list[str] = []
        self.made: list[str] = []
        self.breaks: dict[str, Exception] = {}
        self.target = self
        self.proxy = self

    def ensure(self) -> None:
        self.made.append("ensure")

    def job_began(self, job: Any) -> bool:
        return job.name in self.ran

    def perform(self, release: Release, move: Move) -> None:
        self.made.append(str(move))
        params = move.params
        name = f"{params.get('service')}-r{params.get('release')}"
        unit = next(
            (u for us in (release.units, release.before) for u in us.values() if u.name == name),
            None,
        )
        members = [unit.members[i].name for i in params["members"]] if unit else []
        if move.kind == "start":
            self.there.update(members)
            self.running.update(members)
        if move.kind in self.breaks:
            raise self.breaks[move.kind]
        if move.kind == "shift":
            self.weights |= {f"{b}/{s}": w for b, s, w in params["weights"]}
        if move.kind == "job" and params["job"]["name"] not in self.ran:
            self.ran.append(params["job"]["name"])
        if move.kind in ("stop", "remove"):
            self.running.difference_update(members)
        if move.kind == "remove":
            self.there.difference_update(members)

    def serving(self) -> set[str]:
        return {slot for slot, weight in self.weights.items() if weight}


class Watcher:
    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)

    def watch(self, release: Release, move: Move) -> Verdict:
        return self.verdicts.pop(0) if self.verdicts else GOOD


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that waits for no disk, where there is one: no test pulls the plug."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def journal(memory: Path) -> Iterator[Journal]:
    with closing(Journal(memory)) as opened:
        opened.lease()
        yield opened


def planned(deploy: Deploy, journal: Journal, strategy: str) -> Plan:
    """Plan a release of everything beside what serves."""
    serving = journal.serving()
    before = serving.units if serving else {}
    slots = {(b, s): Slot(b, s) for b in deploy.services for s in ("s1", "s2", "s3", "s4")}
    number = journal.next_id()
    units = new_units(
        deploy, DockerHost(deploy, Shell(environ={})), release=number, before=before, slots=slots,
        digests={"w": f"w{number}", "a": f"a{number}"},
    )  # fmt: skip
    choice = Choice(strategy if before else "first", ("canary",), ("test",))
    return make_plan(
        deploy, choice, number=number, units=units, before=before,
        previous=serving.id if serving else None, splits=True,
    )  # fmt: skip


def run(journal: Journal, world: World, strategy: str, *verdicts: Verdict, deploy: Deploy | None = None, unsure: str = "pass") -> Any:  # fmt: skip
    plan = planned(deploy or configured(), journal, strategy)
    journal.begin(plan.release, plan.moves)
    runner = Runner(journal, world, Watcher(*verdicts), unsure, lambda _: None)  # type: ignore[arg-type]
    return runner.forward(plan.release)


@pytest.fixture
def world(journal: Journal) -> World:
    """Return a world in which release 1 serves."""
    made = World()
    assert run(journal, made, "first").state is State.DONE
    return made


def names(units: dict[str, Unit]) -> set[str]:
    return {member.name for unit in units.values() for member in unit.members}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_ends_with_the_new_version_alone(
    journal: Journal, world: World, strategy: str
) -> None:
    ending = run(journal, world, strategy)
    last = journal.last()

    assert ending.state is State.DONE
    assert last is not None
    assert world.running == names(last.units)
    assert world.serving() == {f"{u.service}/{s}" for u in last.units.values() for s in u.slots}
    assert world.there == names(last.units) | names(last.before)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kind", ["start", "ready", "join", "shift", "watch", "job"])
def test_whatever_fails_the_old_version_serves_again_and_nothing_else_is_left(
    journal: Journal, world: World, strategy: str, kind: str
) -> None:
    before, running = world.serving(), set(world.running)
    if kind != "watch":
        world.breaks[kind] = RequestError("never-ready", "it broke")
    if kind == "shift":  # the way back must still be able to shift
        world.breaks = {"join": RequestError("never-ready", "it broke")}
    ending = run(journal, world, strategy, *([BAD] if kind == "watch" else []))

    assert ending.state is State.ROLLED_BACK
    assert world.serving() == before
    assert world.running == running
    assert world.there == running


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_way_back_moves_traffic_first_and_in_one_line(
    journal: Journal, world: World, strategy: str
) -> None:
    plan = planned(configured(), journal, strategy)
    journal.begin(plan.release, plan.moves)
    for entry in journal.entries(2):
        if entry.move.kind in ("drain", "stop", "leave", "sweep"):
            break
        journal.mark(2, entry, "done")
    moves = way_back(plan.release, journal.entries(2))

    assert [m.kind for m in moves].count("shift") == 1
    assert moves[0].kind == "shift"
    weights = moves[0].params["weights"]
    assert {w for b, s, w in weights if s in plan.release.before[b].slots} == {200}
    assert {w for b, s, w in weights if s in plan.release.units[b].slots} == {0}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_runner_that_dies_anywhere_can_be_followed_in_both_directions(
    memory: Path, strategy: str
) -> None:
    class Killed(BaseException):
        pass

    for direction in ("resume", "back"):
        boundary = 0
        while True:
            boundary += 1
            with closing(Journal(memory / f"{direction}{boundary}")) as journal:
                journal.lease()
                world = World()
                run(journal, world, "first")
                old = world.serving()
                plan = planned(configured(), journal, strategy)
                journal.begin(plan.release, plan.moves)
                count = 0
                mark = journal.mark

                def dying(*args: Any, mark: Any = mark, boundary: int = boundary) -> None:
                    nonlocal count
                    count += 1
                    if count == boundary:
                        raise Killed
                    mark(*args)

                journal.mark = dying  # type: ignore[method-assign, assignment]
                runner = Runner(journal, world, Watcher(), "pass", lambda _: None)  # type: ignore[arg-type]
                try:
                    runner.forward(plan.release)
                except Killed:
                    journal.mark = mark  # type: ignore[method-assign]
                else:
                    break
                release = journal.last()
                assert release is not None
                ending = getattr(runner, direction)(
                    release, *([] if direction == "resume" else ["by hand"])
                )
                if direction == "resume":
                    assert ending.state is State.DONE
                    assert world.running == names(release.units)
                    assert not world.serving() & old
                else:
                    assert ending.state is State.ROLLED_BACK
                    assert world.running == names(release.before)
                    assert world.serving() == old
        assert boundary > 15


def test_a_finished_release_is_undone_by_starting_what_served_before(
    journal: Journal, world: World
) -> None:
    old = world.serving()
    run(journal, world, "blue-green")
    release = journal.last()
    assert release is not None
    Runner(journal, world, Watcher(), "pass", lambda _: None).back(release, "by hand")  # type: ignore[arg-type]

    assert world.serving() == old
    assert world.running == names(release.before) == world.there


def test_past_a_job_that_cannot_be_undone_it_freezes_and_can_go_on(
    journal: Journal, world: World
) -> None:
    deploy = configured(irreversible=True)
    ending = run(journal, world, "canary", BAD, deploy=deploy)
    shifted = world.serving()
    release = journal.last()
    assert release is not None

    assert ending.state is State.FROZEN
    assert "web-migrate-r2, which cannot be undone" in ending.text
    runner = Runner(journal, world, Watcher(), "pass", lambda _: None)  # type: ignore[arg-type]
    assert runner.back(release, "by hand").state is State.FROZEN
    assert world.serving() == shifted
    assert runner.resume(release, accept=True).state is State.DONE


def test_a_job_that_never_started_bars_nothing(journal: Journal, world: World) -> None:
    world.breaks["job"] = SurroundingsError("engine-unreachable", "no engine")

    assert (
        run(journal, world, "canary", deploy=configured(irreversible=True)).state
        is State.ROLLED_BACK
    )


@pytest.mark.parametrize(
    ("unsure", "state"),
    [("pass", State.DONE), ("hold", State.HELD), ("rollback", State.ROLLED_BACK)],
)
def test_no_answer_is_an_answer_of_its_own(
    journal: Journal, world: World, unsure: str, state: State
) -> None:
    assert run(journal, world, "blue-green", UNSURE, unsure=unsure).state is state


def test_one_who_was_overtaken_does_nothing_more(journal: Journal, world: World) -> None:
    world.breaks["ready"] = SurroundingsError("lease-lost", "another took over")
    with pytest.raises(SurroundingsError):
        run(journal, world, "blue-green")

    last = journal.last()
    assert last is not None
    assert last.state is State.RUNNING
    assert world.made[-1].startswith("ready")


def test_services_start_in_their_order_and_jobs_run_once(journal: Journal, world: World) -> None:
    world.made.clear()
    run(journal, world, "blue-green")

    starts = [text for text in world.made if text.startswith("start")]
    assert starts == ["start api-r2 [1]", "start web-r2 [1,2]"]
    assert sum("migrate-r2" in name for name in world.ran) == 1


def test_a_rolling_release_watches_no_container_that_is_still_to_come(
    journal: Journal, world: World
) -> None:
    started: dict[str, set[int]] = {}
    for move in planned(configured(), journal, "rolling").moves:
        if move.kind == "start":
            started.setdefault(move.params["service"], set()).update(move.params["members"])
        if move.kind == "watch":
            for name, members in move.params["services"].items():
                assert set(members) == started[name]
    assert started == {"api": {0}, "web": {0, 1}}
