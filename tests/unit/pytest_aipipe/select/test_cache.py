from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.select.cache import Memory
from pytest_aipipe.select.imports import read_imports

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = b"import a.b, subprocess\nfrom . import c\nfrom ..d import e\nx = 'README.md'\n"


def write(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def test_a_second_run_parses_nothing_and_answers_the_same(tmp_path: Path) -> None:
    file = tmp_path / "imports.json"
    first = Memory(file)
    assert first.imports(SOURCE) == read_imports(SOURCE)
    first.imports(b"def (")
    first.save(write)
    second = Memory(file)
    assert second.imports(SOURCE) == read_imports(SOURCE)
    assert second.imports(b"def (") == read_imports(b"def (")
    assert (first.parsed, second.parsed) == (2, 0)


def test_changed_content_is_parsed_again_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "imports.json"
    first = Memory(file)
    first.imports(SOURCE)
    first.save(write)
    second = Memory(file)
    assert second.imports(b"import z") == read_imports(b"import z")
    second.save(write)
    third = Memory(file)
    third.imports(SOURCE)
    third.imports(b"import z")
    assert third.parsed == 0


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"version": "0", "imports": {}}'])
def test_a_memory_that_cannot_be_read_is_forgotten(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "imports.json"
    file.write_text(damage)
    memory = Memory(file)
    assert memory.imports(SOURCE) == read_imports(SOURCE)
    assert memory.parsed == 1


def test_a_row_that_is_not_ours_is_parsed_again(tmp_path: Path) -> None:
    file = tmp_path / "imports.json"
    first = Memory(file)
    first.imports(SOURCE)
    first.save(write)
    text = file.read_text()
    file.write_text(text.replace('["a.b"', '7,["a.b"', 1))
    assert Memory(file).imports(SOURCE) == read_imports(SOURCE)


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    def refuse(_file: Path, _text: str) -> None:
        raise PermissionError

    memory = Memory(tmp_path / "imports.json")
    memory.imports(SOURCE)
    memory.save(refuse)
    assert not (tmp_path / "imports.json").exists()
