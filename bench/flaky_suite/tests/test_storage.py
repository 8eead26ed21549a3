"""Files, notes, locks."""

import os
import tempfile
from pathlib import Path

import pytest

from shop import storage


def test_save_makes_a_new_file():
    assert not Path("order.json").exists()
    storage.save("order", {"id": 1})
    assert Path("order.json").exists()


def test_journal_has_one_line():
    storage.append_line("journal.txt", "sold")
    assert storage.lines("journal.txt") == ["sold"]


def test_lock_is_taken():
    storage.lock(os.path.join(tempfile.gettempdir(), "shop.lock"))


def test_cache_is_filled():
    assert storage.cached("prices", lambda: "1") == "made"


def test_export_folder_is_made():
    os.mkdir("export")
    assert os.path.isdir("export")


def test_save_in_a_folder(tmp_path):
    assert storage.save("order", {"id": 1}, tmp_path).exists()


def test_journal_in_a_folder(tmp_path):
    storage.append_line(tmp_path / "j", "one")
    storage.append_line(tmp_path / "j", "two")
    assert storage.lines(tmp_path / "j") == ["one", "two"]


def test_lock_twice(tmp_path):
    storage.lock(tmp_path / "l")
    with pytest.raises(FileExistsError):
        storage.lock(tmp_path / "l")


def test_scratch_file_is_removed():
    storage.save("scratch", 1)
    os.remove("scratch.json")
    assert not Path("scratch.json").exists()


def test_note_is_overwritten():
    storage.save("note", [1])
    storage.save("note", [2])
    assert Path("note.json").read_text() == "[2]"


def test_cache_in_a_patch(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "CACHE", tmp_path / "c")
    assert storage.cached("k", lambda: "v") == "made"
    assert storage.cached("k", lambda: "v") == "cached"


def test_note_with_umlauts(tmp_path):
    storage.write_note(tmp_path / "n", "Grüße")
    assert storage.read_note(tmp_path / "n") == "Grüße"


def test_note_of_the_price(tmp_path):
    path = tmp_path / "n.txt"
    path.write_text("12 €")
    assert path.read_text() == "12 €"


def test_note_is_utf8(tmp_path):
    storage.write_note(tmp_path / "n", "naïve")
    assert (tmp_path / "n").read_bytes() == "naïve".encode()


def test_note_in_ascii(tmp_path):
    storage.write_note(tmp_path / "n", "plain")
    assert storage.read_note(tmp_path / "n") == "plain"


def test_note_with_an_encoding(tmp_path):
    (tmp_path / "n").write_text("Grüße", encoding="utf-8")
    assert (tmp_path / "n").read_text(encoding="utf-8") == "Grüße"
