"""The record on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aipipe_build.keys.model import BaseImage, ImageConfig
from aipipe_build.light import replace
from aipipe_build.record.model import State, StepRecord
from aipipe_build.record.store import RecordStore
from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path

STEP = StepRecord("", 2, "RUN x", "RUN", "e", "o", "b", "p", ("c",), {"user": ""}, 1.5)
STATE = State(1.0, "Dockerfile", "", "head", "config", (STEP,))


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    store = RecordStore((tmp_path / "a",))
    image = BaseImage("base", "layers", ImageConfig(env=(("A", "1"),), shell=("sh",)))
    store.append(STATE, images={"base": image}, merges=True)
    history = store.load()
    assert history.states == [STATE]
    assert history.images == {"base": image}
    assert history.merges is True
    assert history.step("e") == STEP
    assert history.has_open("o")
    assert history.has_blind("b")
    assert history.step("other") is None


def test_the_same_build_is_kept_once_the_newest(tmp_path: Path) -> None:
    store = RecordStore((tmp_path,))
    for at in (1.0, 2.0, 3.0):
        store.append(replace(STATE, at=at), images={}, merges=None)
    assert [state.at for state in store.load().states] == [3.0]


def test_several_folders_are_read_and_the_first_is_written(tmp_path: Path) -> None:
    RecordStore((tmp_path / "b",)).append(STATE, images={}, merges=None)
    both = RecordStore((tmp_path / "a", tmp_path / "b"))
    both.append(replace(STATE, at=9.0, head="other"), images={}, merges=None)
    assert [state.head for state in both.load().states] == ["head", "other"]
    assert len(json.loads((tmp_path / "b" / "default.json").read_text())["states"]) == 1


def test_a_builders_name_is_no_path(tmp_path: Path) -> None:
    RecordStore((tmp_path / "a",), "../x").append(STATE, images={}, merges=None)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SurroundingsError, match="record-unwritable"):
        RecordStore((tmp_path / "file" / "a",)).append(STATE, images={}, merges=None)
