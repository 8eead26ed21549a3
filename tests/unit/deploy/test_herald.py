"""The herald: who hears what of a release, and that no channel delays one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from aipipe_core.notify import Message, Policy, Severity
from aipipe_core.notify.configure import Channels
from aipipe_core.notify.deliver import Result, Retry, Sent
from aipipe_deploy.journal.model import State
from aipipe_deploy.release.herald import Herald
from aipipe_deploy.release.runner import Ending

if TYPE_CHECKING:
    from pathlib import Path

DONE = Ending(3, State.DONE, "release 3 serves")
BACK = Ending(3, State.ROLLED_BACK, "it fails more; rolled back, release 2 serves")
FROZEN = Ending(3, State.FROZEN, "past a migration")


class Channel:
    """Takes messages, or answers as told."""

    def __init__(self, answer: Result | None = None) -> None:
        self.took: list[Message] = []
        self.answer = answer

    def send(self, message: Message, handle: str) -> Result:
        if self.answer is not None:
            return self.answer
        self.took.append(message)
        return Sent(handle or "h1")

    def arrived(self, message: Message) -> Sent | None:
        return None


class Hanging(Channel):
    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def send(self, message: Message, handle: str) -> Result:
        self.release.wait(20)
        return super().send(message, handle)


def herald(folder: Path, said: list[str], channel: Channel, least: Severity) -> Herald:
    policy = Policy("chat", least=least, edits=True, deploy_interval=0.0)
    folder.mkdir(exist_ok=True)
    channels = Channels({"chat": (policy, channel)}, {})
    return Herald(channels, folder, "shop", said.append, patience=1.0)


def test_a_good_release_is_one_message_that_changes(tmp_path: Path) -> None:
    channel, said = Channel(), list[str]()
    with herald(tmp_path, said, channel, Severity.INFO) as told:
        told.begin(3, "release 3: canary")
        told.step("  shift web 10")
        told.end(DONE)
    assert {message.key for message in channel.took} == {"deploy/shop/release-3#1"}
    assert "release 3 serves" in channel.took[-1].text
    assert said == ["  shift web 10"]


def test_a_channel_for_trouble_hears_of_a_rollback_and_of_nothing_else(tmp_path: Path) -> None:
    channel, said = Channel(), list[str]()
    with herald(tmp_path / "good", said, channel, Severity.WARNING) as told:
        told.begin(3, "release 3: canary")
        told.end(DONE)
    assert channel.took == []
    with herald(tmp_path / "bad", said, channel, Severity.WARNING) as told:
        told.begin(3, "release 3: canary")
        told.end(BACK)
    assert "rolled back" in channel.took[-1].text


def test_a_frozen_release_wakes_people(tmp_path: Path) -> None:
    channel: Channel = Channel()
    with herald(tmp_path, [], channel, Severity.PAGE) as told:
        told.begin(3, "release 3: rolling")
        told.end(FROZEN)
    assert [message.severity for message in channel.took] == [Severity.PAGE]


def test_a_channel_that_hangs_delays_no_step(tmp_path: Path) -> None:
    channel, said = Hanging(), list[str]()
    with herald(tmp_path, said, channel, Severity.INFO) as told:
        began = time.monotonic()
        told.begin(3, "release 3: canary")
        for number in range(200):
            told.step(f"  step {number}")
        told.end(DONE)
        assert time.monotonic() - began < 5
    channel.release.set()
    assert said[-1] == "some of this was not delivered yet; the next command tries again"


def test_what_was_not_delivered_goes_out_with_the_next_command(tmp_path: Path) -> None:
    said: list[str] = []
    with herald(tmp_path, said, Channel(Retry("down", 0.1)), Severity.WARNING) as told:
        told.begin(3, "release 3: canary")
        told.end(BACK)
    assert "not delivered" in said[-1]
    channel = Channel()
    with herald(tmp_path, said, channel, Severity.WARNING):
        deadline = time.monotonic() + 10
        while not channel.took and time.monotonic() < deadline:
            time.sleep(0.02)
    assert any("rolled back" in message.text for message in channel.took)


def test_without_channels_only_the_terminal_hears(tmp_path: Path) -> None:
    said: list[str] = []
    with Herald(Channels({}, {}), tmp_path, "shop", said.append) as told:
        told.begin(1, "release 1")
        told.step("  ready")
        told.end(DONE)
    assert said == ["  ready"]
    assert not (tmp_path / "notify.db").exists()


def test_an_outbox_that_cannot_be_opened_costs_no_release(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "notify.db").mkdir()
    with herald(tmp_path, said, Channel(), Severity.INFO) as told:
        told.begin(1, "release 1")
        told.end(DONE)
    assert [line for line in said if line.startswith("nobody can be told")]


@pytest.mark.parametrize("state", [State.HELD, State.FROZEN])
def test_what_waits_for_a_person_stays_open(tmp_path: Path, state: State) -> None:
    channel = Channel()
    with herald(tmp_path, [], channel, Severity.WARNING) as told:
        told.begin(3, "release 3: canary")
        told.end(Ending(3, state, "waits"))
    assert [message.action.value for message in channel.took] == ["open"]
