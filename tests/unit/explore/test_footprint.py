from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.explore.footprint import Footprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def footprint() -> Footprint:
    return Footprint()  # its hook stays for good: one is enough


@pytest.fixture(autouse=True)
def heard(footprint: Footprint) -> Iterator[None]:
    footprint.paths, footprint.others = [], []
    footprint.on = True
    yield
    footprint.on = False


def test_what_is_written_outside_the_temporary_folder_is_told(
    footprint: Footprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "own"))
    (tmp_path / "other.txt").write_text("text")
    assert footprint.paths == [str(tmp_path / "other.txt")]


def test_a_standard_stream_that_is_opened_as_a_file_is_told(footprint: Footprint) -> None:
    with contextlib.suppress(OSError, ValueError):
        open(True, "w", closefd=False).close()
    assert footprint.others == ["opens a standard stream of its process (1) as a file"]


def test_another_descriptor_is_not(footprint: Footprint) -> None:
    number, other = os.pipe()
    with os.fdopen(number), os.fdopen(other, "w"):
        pass
    assert not footprint.others


def test_a_program_in_the_place_of_the_process_is_told(footprint: Footprint) -> None:
    with pytest.raises(OSError, match="No such file"):
        os.execv("/no/such/program", ["program"])
    assert footprint.others == ["puts another program in the place of its process"]


def test_a_program_beside_it_is_not(footprint: Footprint) -> None:
    import subprocess

    subprocess.run([sys.executable, "-c", ""], check=True)
    assert not footprint.others
