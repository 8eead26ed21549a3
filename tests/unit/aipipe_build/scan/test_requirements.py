"""Requirement and lock files, read for what they will install."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aipipe_build.scan.requirements import find_files, read_requirements
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, name: str, text: str) -> dict[str, str]:
    path = folder / name
    path.write_text(text)
    return {package.name: package.version for package in read_requirements(path)}


def test_pips_format_is_read_with_its_includes(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("Delta_X==4\n-r requirements.txt\n")
    text = (
        "# comment\nalpha==1.0 # why\nBeta[extra]==2.0; python_version > '3'\n-r base.txt\n"
        "gamma==3.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n-c constraints.txt\n"
        "range>=1\nwild==1.*\nfree\nlocal @ file:///x\n./path\n--index-url https://x\n"
    )
    assert read(tmp_path, "requirements.txt", text) == {
        "alpha": "1.0", "beta": "2.0", "gamma": "3.0", "delta-x": "4", "range": "", "wild": "",
        "free": "", "local": "", "./path": "",
    }  # fmt: skip


UV = """\
[[package]]
name = "me"
source = { editable = "." }
[[package]]
name = "a"
version = "2"
source = { registry = "x" }
"""


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("poetry.lock", '[[package]]\nname = "A"\nversion = "1"\n', {"a": "1"}),
        (
            "uv.lock",
            UV,
            {"a": "2"},
        ),
        ("pylock.toml", '[[packages]]\nname = "a"\nversion = "3"\n', {"a": "3"}),
        (
            "Pipfile.lock",
            json.dumps({"default": {"a": {"version": "==4"}}, "develop": {"b": {"git": "x"}}}),
            {"a": "4", "b": ""},
        ),
    ],
)
def test_lock_files_are_read(tmp_path: Path, name: str, text: str, found: dict[str, str]) -> None:
    assert read(tmp_path, name, text) == found
    assert [path.name for path in find_files(tmp_path)] == [name]


@pytest.mark.parametrize(
    ("name", "text"),
    [("poetry.lock", "[["), ("uv.lock", "package = 3\n"), ("Pipfile.lock", "[]"),
     ("requirements.txt", "-r missing.txt\n")],
)  # fmt: skip
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(RequestError, match="requirements-unreadable"):
        read(tmp_path, name, text)
