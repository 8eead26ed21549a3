"""A folder of its own for a test whose code writes files."""

from __future__ import annotations

import pytest

from pytest_aipipe.engines.source.folder import within_folder, writes_outside
from pytest_aipipe.generate.model import Candidate, Outcome


@pytest.mark.parametrize(
    ("outcome", "outside"),
    [
        (Outcome("raised", raised="OSError: [Errno 30] Read-only file system: 'a.txt'"), True),
        (Outcome("passed", refused="writes outside its temporary folder (/shop)"), True),
        (Outcome("raised", raised="OSError: [Errno 2] No such file: 'a.txt'"), False),
        (Outcome("passed", refused="asserts: asserts nothing"), False),
        (Outcome("passed"), False),
    ],
)
def test_a_run_that_writes_outside_is_known(outcome: Outcome, outside: bool) -> None:
    assert writes_outside(outcome) == outside


def test_the_folder_is_entered_without_the_files_that_are_named_and_with_them() -> None:
    plain = Candidate("construct", "test_it", "def test_it():\n    result = put('a.txt', 'b')\n")
    bare, filled = within_folder(plain)
    assert bare.function == (
        "def test_it(tmp_path, monkeypatch):\n"
        "    monkeypatch.chdir(tmp_path)\n"
        "    result = put('a.txt', 'b')\n"
    )
    assert filled.function.splitlines()[1:3] == [
        "    (tmp_path / 'a.txt').write_text('text')",
        "    monkeypatch.chdir(tmp_path)",
    ]


def test_a_test_that_names_no_file_is_written_once_and_asks_for_a_fixture_once() -> None:
    source = "def test_it(monkeypatch):\n    put('')\n"
    (made,) = within_folder(Candidate("construct", "test_it", source))
    assert made.function.startswith("def test_it(monkeypatch, tmp_path):\n")


@pytest.mark.parametrize(
    "source",
    [
        "class TestPut(TestCase):\n    def test_it(self):\n        put('')\n",
        "def test_it(tmp_path, monkeypatch):\n    monkeypatch.chdir(tmp_path)\n    put('/a')\n",
        "def test_it(:",
    ],
)
def test_a_test_that_cannot_be_moved_or_was_is_left_alone(source: str) -> None:
    assert within_folder(Candidate("construct", "test_it", source)) == []
