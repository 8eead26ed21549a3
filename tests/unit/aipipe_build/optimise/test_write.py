"""The files are replaced whole, both or neither, and only over what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_build.optimise.look import Place
from aipipe_build.optimise.write import write_rewrite
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "Dockerfile").write_bytes(b"FROM x\n# \xff\n")
    text = "FROM x\n# \udcff\n"
    return Place(tmp_path / "Dockerfile", tmp_path / ".dockerignore", text, None)


def test_both_are_written_and_strange_bytes_stay(place: Place) -> None:
    place.dockerfile.chmod(0o600)
    write_rewrite(place, place.text.replace("x", "y"), ".git\n")
    assert place.dockerfile.read_bytes() == b"FROM y\n# \xff\n"
    assert place.dockerfile.stat().st_mode & 0o777 == 0o600
    assert place.ignore_file.read_text() == ".git\n"


def test_a_dockerfile_that_changed_meanwhile_is_left_alone(place: Place) -> None:
    place.dockerfile.write_text("FROM other\n")
    with pytest.raises(AipipeError, match="dockerfile-moved"):
        write_rewrite(place, "FROM y\n", ".git\n")
    assert place.dockerfile.read_text() == "FROM other\n"
    assert not place.ignore_file.exists()


def test_when_one_cannot_be_written_both_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aipipe_build.optimise.write as module

    real = module._replace

    def replace(path: Path, data: bytes) -> None:
        if path.name == "Dockerfile":
            raise OSError(28, "No space left on device", str(path))
        real(path, data)

    monkeypatch.setattr(module, "_replace", replace)
    with pytest.raises(AipipeError, match="rewrite-unwritable"):
        write_rewrite(place, "FROM y\n", ".git\n")
    assert place.dockerfile.read_bytes() == b"FROM x\n# \xff\n"
    assert not place.ignore_file.exists()


def test_a_link_stays_a_link(place: Place, tmp_path: Path) -> None:
    real = tmp_path / "real"
    place.dockerfile.rename(real)
    place.dockerfile.symlink_to(real)
    write_rewrite(place, "FROM y\n", None)
    assert place.dockerfile.is_symlink()
    assert real.read_text() == "FROM y\n"
