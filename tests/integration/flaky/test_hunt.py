"""A hunt over a small project: real children, real forks, real mends."""

from __future__ import annotations

from typing import Any

import pytest

from aipipe_core.documents import read_document

SHOP = """\
import datetime
import random

prices = {"tea": 3}


def greet():
    return "morning" if datetime.datetime.now().hour < 12 else "day"


def draw():
    return random.randrange(6)
"""
TESTS = """\
import shop


def test_raises_the_price():
    shop.prices["tea"] = 4
    assert shop.prices["tea"] == 4


def test_price():
    assert shop.prices["tea"] == 3


def test_greets():
    assert shop.greet() == "day"


def test_draw():
    assert shop.draw() < 4


def test_set():
    assert list({"a", "b"}) == ["a", "b"]


def test_steady():
    assert sorted({"a", "b"}) == ["a", "b"]


def test_broken():
    assert shop.draw() == 7
"""


@pytest.mark.slow
def test_a_hunt_finds_explains_mends_and_writes_what_held(folder: Any) -> None:
    folder.put(shop=SHOP, test_shop=TESTS)
    found = folder.hunt("--ai-flaky-fix")

    causes = {name: row["cause"] for name, row in found.items()}
    assert causes == {
        "test_price": "order",
        "test_greets": "clock",
        "test_draw": "randomness",
        "test_set": "hash-seed",
    }
    polluter = found["test_price"]["evidence"]
    assert "fails after test_shop.py::test_raises_the_price" in polluter
    assert "shop.prices changed from {'tea': 3} to {'tea': 4}" in polluter
    assert all("held" in row["fix"] for row in found.values())
    assert found["test_draw"]["runs"] > found["test_draw"]["failures"] > 0
    mended = folder.read("test_shop")
    assert 'monkeypatch.setitem(shop.prices, "tea", 4)' in mended
    assert 'sorted(list({"a", "b"})) == sorted(["a", "b"])' in mended
    assert folder.read("shop") == SHOP
    assert read_document(folder.root / "out.json", "tests")["head"] == "worktree"

    again = folder.hunt()
    assert again == {}
    assert "0 flaky of 7 tests" in folder.last.stdout


@pytest.mark.slow
def test_a_hunt_does_not_touch_the_project_unasked(folder: Any) -> None:
    folder.put(
        test_file="import os\n\n\ndef test_new():\n    open('left.txt', 'x').close()\n"
        "    assert os.path.exists('left.txt')\n"
    )
    before = folder.read("test_file")
    (folder.root / "left.txt").touch()
    found = folder.hunt("--deselect", "test_file.py::test_new")
    assert found == {}
    (folder.root / "left.txt").unlink()
    found = folder.hunt()
    assert found["test_new"]["cause"] == "leftover-files"
    assert "monkeypatch.chdir(tmp_path)" in found["test_new"]["fix"]
    assert folder.read("test_file") == before


@pytest.mark.slow
def test_what_has_no_mend_goes_into_quarantine(folder: Any) -> None:
    folder.put(
        test_id="import os\n\n\ndef test_many(tmp_path):\n"
        "    files = [open(tmp_path / str(n), 'w') for n in range(300)]\n"
        "    for file in files:\n        file.close()\n"
    )
    found = folder.hunt("--ai-flaky-fix")
    assert found["test_many"]["cause"] == "resources"
    assert found["test_many"]["fix"].startswith("quarantine")
    assert "@pytest.mark.aipipe_quarantine(" in folder.read("test_id")
    after = folder.pytest("-q")
    assert after.returncode == 0
    assert "test_many passed; in quarantine since" in after.stdout


def test_a_wrong_number_of_minutes_is_a_usage_error(folder: Any) -> None:
    folder.put(test_x="def test_x():\n    pass\n")
    for wrong in ("many", "-1", "nan"):
        ran = folder.pytest(f"--ai-flaky-hunt={wrong}")
        assert ran.returncode == 4
        assert "[bad-flaky-hunt]" in ran.stderr + ran.stdout


def test_off_does_not_hunt(folder: Any) -> None:
    folder.put(test_x="def test_x():\n    pass\n")
    ran = folder.pytest("--ai-flaky-hunt=off")
    assert ran.returncode == 0
    assert "ai-flaky" not in ran.stdout
    assert not (folder.root / ".aipipe").exists()
