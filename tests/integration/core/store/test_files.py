"""What the disk can do to a store."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aipipe_core.documents import write_document
from aipipe_core.store import Store, open_store


def damage(path: Path) -> None:
    """Overwrite every page but the first."""
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def test_a_new_folder_is_ignored_by_git(tmp_path: Path) -> None:
    open_store(root=tmp_path).close()
    assert (tmp_path / ".aipipe" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / ".aipipe" / "store.db").is_file()


def test_a_document_in_a_new_folder_hides_it_too(tmp_path: Path) -> None:
    folder = tmp_path / ".aipipe" / "runs" / "one"
    write_document(folder / "deploy.json", "deploy", {"schema": 1, "state": "unchanged"})
    assert (tmp_path / ".aipipe" / ".gitignore").read_text() == "*\n"
    assert not (folder / ".gitignore").exists()


def test_a_folder_that_was_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".aipipe").mkdir()
    open_store(root=tmp_path).close()
    assert not (tmp_path / ".aipipe" / ".gitignore").exists()


def test_writers_do_not_block_readers(tmp_path: Path) -> None:
    with open_store(root=tmp_path) as store:
        mode = store.read(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar())
    assert mode == "wal"


@pytest.mark.parametrize("data", [b"not a database " * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_set_aside(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(data)
    with open_store(path) as store:
        assert [finding.rule for finding in store.findings] == ["store-damaged"]
        store.put("s", "k", 1)
        assert store.get("s", "k") == 1
    aside = list(tmp_path.glob("store.db.damaged-*"))
    assert [found.read_bytes() for found in aside if not found.name.endswith(("-wal", "-shm"))] == [
        data
    ]
    with open_store(path) as store:
        assert store.findings == []
        assert store.get("s", "k") == 1


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()
    with open_store(path) as store:
        assert store.findings == []


def test_damage_that_shows_only_later_is_got_over_as_well(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_store(path) as store:
        store.put_many("s", {str(n): os.urandom(2000) for n in range(200)})
    with open_store(path) as store:
        store.engine.dispose()
        damage(path)
        store.put("s", "new", 1)
        assert store.get("s", "new") == 1
        assert [finding.rule for finding in store.findings] == ["store-damaged"]


def test_a_file_that_another_sets_aside_is_opened_when_that_is_done(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"garbage " * 2000)
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    stores: list[Store] = []
    opening = threading.Thread(target=lambda: stores.append(open_store(path)))
    opening.start()
    opening.join(0.3)
    assert opening.is_alive()
    assert path.read_bytes() == b"garbage " * 2000
    os.close(folder)
    opening.join()
    assert [finding.rule for finding in stores[0].findings] == ["store-damaged"]
    stores[0].close()


def test_two_that_find_the_damage_at_once_agree_on_one_new_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"garbage " * 2000)
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(open_store(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, store in enumerate(stores):
        store.put("s", str(n), n)
    assert [len(store.keys("s")) for store in stores] == [4] * 4
    for store in stores:
        store.close()
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


def test_a_folder_that_cannot_be_made_gives_a_store_that_forgets(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with open_store(tmp_path / "file" / "store.db") as store:
        assert [finding.rule for finding in store.findings] == ["store-unwritable"]
        store.put("s", "k", 1)
        assert store.get("s", "k") == 1


def test_a_store_whose_place_is_a_folder_forgets(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with open_store(tmp_path / "store.db") as store:
        assert [finding.rule for finding in store.findings] == ["store-unwritable"]


def test_a_read_only_folder_gives_a_store_that_forgets(tmp_path: Path) -> None:
    with open_store(root=tmp_path) as store:
        store.put("s", "k", 1)
    code = (
        "import sys, pathlib\n"
        "from aipipe_core.store import open_store\n"
        "s = open_store(root=pathlib.Path(sys.argv[1]))\n"
        "s.put('s', 'n', 1); print([f.rule for f in s.findings], s.get('s', 'n'))\n"
    )
    from aipipe_core.sandbox import Policy, choose, run

    sandbox = choose()
    if not sandbox.isolated:
        pytest.skip("nothing here can make a folder read-only for this user")
    policy = Policy(readable=(tmp_path,), environment={"PATH": os.environ["PATH"]})
    outcome = run(sandbox.wrap([sys.executable, "-c", code, str(tmp_path)], policy, Path.cwd()))
    assert outcome.stdout.decode().strip() == "['store-unwritable'] 1", outcome.stderr.decode()


def test_mentioning_the_store_does_not_load_sqlalchemy() -> None:
    code = "import sys, aipipe_core.store; print('sqlalchemy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_a_store_in_memory_works_in_threads() -> None:
    with open_store(":memory:") as store:
        store.put("s", "k", 1)
        seen: list[object] = []
        thread = threading.Thread(target=lambda: seen.append(store.get("s", "k")))
        thread.start()
        thread.join()
        assert seen == [1]
