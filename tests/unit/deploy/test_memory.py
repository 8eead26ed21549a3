"""Memory: told before the engine kills a new version for it, and only then."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_deploy.config import parse_deploy
from aipipe_deploy.sources.memory import LOOKS, MemoryWatch
from aipipe_deploy.targets import Member, Memory, Unit, argv
from aipipe_deploy.targets.host import memory_in

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 1024.0**2


def unit(release: int, memory: str = "") -> Unit:
    return Unit(
        service="web", release=release, image="w", digest="", replicas=1, port=80, health="/h",
        members=(Member(f"web-r{release}-1", "127.0.0.1", 9, "s1"),), ready=5, drain=5,
        sticky=False, memory=memory,
    )  # fmt: skip


class Engine:
    """Shares of a limit of 512 MiB, look by look; the last one stays."""

    def __init__(self, old: list[float], new: list[float]) -> None:
        self.shares = {"web-r1-1": old, "web-r2-1": new}
        self.asked = threading.Event()

    def memory(self, *units: Unit) -> Mapping[str, Memory]:
        self.asked.set()
        names = [member.name for unit in units for member in unit.members]
        found = {}
        for name in names:
            left = self.shares[name]
            share = left.pop(0) if len(left) > 1 else left[0]
            if share < 0:
                raise SurroundingsError("engine-unreachable", "gone")
            found[name] = Memory(share * 512 * MIB, 512 * MIB)
        return found


def finding(old: list[float], new: list[float], *, looks: int = LOOKS) -> str:
    watch = MemoryWatch(Engine(old, new), unit(1), unit(2))
    for _ in range(looks):
        watch.look()
    return watch.finding


def test_a_version_at_its_limit_is_told_with_numbers() -> None:
    assert finding([0.3], [0.98]) == (
        "the new version is about to be killed for its memory: web-r2-1 uses 502 of 512 MiB"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([0.3], [0.9]),
        ([0.9], [0.98]),
        ([0.3], [0.98, 0.98, 0.5]),
        ([0.3], [0.98, 0.5, 0.98]),
        ([0.3], [-1.0]),
        ([0.99], [0.3]),
    ],
    ids=["below", "the old one as well", "let go", "not in a row", "no answer", "the old one only"],
)
def test_nothing_is_said_of_one_that_is_not(old: list[float], new: list[float]) -> None:
    assert finding(old, new) == ""


def test_a_first_release_has_no_old_version_to_look_at() -> None:
    watch = MemoryWatch(Engine([0.0], [0.97]), None, unit(2))
    for _ in range(LOOKS):
        watch.look()

    assert "web-r2-1" in watch.finding


def test_it_looks_by_itself_until_it_is_stopped() -> None:
    engine = Engine([0.1], [0.1])
    watch = MemoryWatch(engine, unit(1), unit(2))
    watch.start()

    assert engine.asked.wait(30)
    watch.stop()
    for thread in threading.enumerate():
        if thread.name == "memory":
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("shown", "used", "limit"),
    [
        ("9.5MiB / 64MiB", 9.5 * MIB, 64 * MIB),
        ("512B / 1.5GiB", 512, 1536 * MIB),
        ("1KiB / 2TiB", 1024, 2 * 1024**4),
        ("0B / 0B", 0, 0),
    ],
)
def test_what_the_engine_prints_is_read_in_bytes(shown: str, used: float, limit: float) -> None:
    line = f'{{"Name": "web-r2-1", "MemUsage": "{shown}"}}'
    found = memory_in(line + "\n")

    assert found == {"web-r2-1": Memory(used, limit)}
    assert 0 <= found["web-r2-1"].share <= 1


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "{}", '{"Name": "w", "MemUsage": "-- / --"}', '{"Name": "w", "MemUsage": 3}',
     '{"Name": "w", "MemUsage": "1XB / 2MiB"}'],
)  # fmt: skip
def test_what_is_no_measurement_is_passed_over(text: str) -> None:
    assert memory_in(text) == {}


def test_a_limit_of_the_configuration_reaches_the_container() -> None:
    table = {"services": {"web": {"image": "w", "port": 80, "memory": "512M"}}}
    assert parse_deploy(table, where="test").services["web"].memory == "512m"

    limited = unit(2, "512m")
    command = argv.create("shop", limited, limited.members[0]).argv
    assert command[command.index("--memory") + 1] == "512m"
    assert "--memory" not in argv.create("shop", unit(2), limited.members[0]).argv
    assert limited.fingerprint() != replace(limited, memory="1g").fingerprint()


@pytest.mark.parametrize("memory", ["512", "a lot", "-1m", "0m", 512, True])
def test_a_limit_that_docker_would_not_take_is_refused(memory: object) -> None:
    table = {"services": {"web": {"image": "w", "port": 80, "memory": memory}}}
    with pytest.raises(RequestError, match="memory"):
        parse_deploy(table, where="test")


def test_a_unit_that_an_older_journal_wrote_has_no_limit() -> None:
    record = unit(1).as_json()
    del record["memory"]

    assert Unit.from_json(record) == unit(1)
