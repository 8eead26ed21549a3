from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.session.folder import write_text
from pytest_aipipe.session.written import Ledger, free_name, without

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_ours_until_somebody_edits_it(tmp_path: Path) -> None:
    file = tmp_path / "tests" / "test_a.py"
    Ledger(tmp_path).write(file, "x = 1\n")
    assert Ledger(tmp_path).is_ours(file)
    assert Ledger(tmp_path).ours_in(file.parent) == [file]
    file.write_text("x = 2\n")
    assert not Ledger(tmp_path).is_ours(file)
    Ledger(tmp_path).remove(file)
    assert file.exists()


def test_a_broken_ledger_claims_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / ".aipipe" / "generated" / "written.json"
    ledger.parent.mkdir(parents=True)
    for text in ("{", "[1]", ""):
        ledger.write_text(text)
        assert Ledger(tmp_path).ours_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("test_a.py", "test_a_2.py"), ("a_test.py", "a_2_test.py")]
)
def test_a_name_that_somebody_else_has_is_numbered(
    tmp_path: Path, name: str, expected: str
) -> None:
    (tmp_path / name).write_text("theirs")
    assert free_name(tmp_path, name, Ledger(tmp_path)) == expected
    assert free_name(tmp_path, "test_new.py", Ledger(tmp_path)) == "test_new.py"


def test_a_test_is_cut_out_with_its_decorators() -> None:
    text = "import a\n\n\n@a.b\n@c\ndef test_x():\n    pass\n\n\ndef test_y():\n    pass\n"
    assert without(text, {"test_x"}) == "import a\n\n\ndef test_y():\n    pass\n"
    assert without(text, {"test_y"}) == text[: text.index("\n\n\ndef test_y")] + "\n"
    assert without(text, {"test_x", "test_y"}) is None


def test_writing_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a"
    write_text(file, "old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_text(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
