"""How a child pytest is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.flaky.condition import Condition, natural, pinned
from pytest_aipipe.flaky.lab import Lab, without_theirs
from pytest_aipipe.flaky.workplace import Workplace, make_workplace, paths_in, top_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    place = Workplace(tmp_path / "project", tmp_path / "copy" / "project", tmp_path)
    args = [f"--rootdir={place.origin}", "-c", f"{place.origin}/pytest.ini"]
    return Lab(place, place.origin, args, ["tests"], [str(place.origin / "src"), "/elsewhere"])


def test_the_command_stands_in_the_copy_and_ends_with_what_was_asked_for(lab: Lab) -> None:
    argv = lab.argv(["tests/test_a.py"])
    assert f"--rootdir={lab.workplace.copy}" in argv
    assert argv[-1] == "tests/test_a.py"
    assert "no:randomly" in argv
    assert str(lab.workplace.origin) + "/" not in " ".join(argv)


def test_the_environment_is_the_users_but_for_the_condition(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("GONE", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    made = lab.environment(Condition("c", {"TZ": "UTC", "GONE": None}), tmp_path)
    assert (made["KEPT"], made["TZ"], made["TMPDIR"]) == ("1", "UTC", str(tmp_path))
    assert "GONE" not in made
    assert "PYTEST_ADDOPTS" not in made
    assert made["PYTHONPATH"].startswith(f"{lab.workplace.copy / 'src'}:/elsewhere")


def test_a_child_has_the_environment_of_before_the_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = Workplace(tmp_path / "project", tmp_path / "copy", tmp_path)
    lab = Lab(place, place.origin, [], [], [], {"BEFORE": "1"})
    monkeypatch.setenv("LEFT_BY_A_TEST", "1")
    made = lab.environment(Condition("c"), tmp_path)
    assert made["BEFORE"] == "1"
    assert "LEFT_BY_A_TEST" not in made


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("addopts=-q --randomly-seed=3 -x", "addopts=-q -x"),
        ("addopts=--random-order -m 'not slow'", "addopts=-m 'not slow'"),
        ("--randomly-seed=3", "--randomly-seed=3"),
    ],
)
def test_options_of_plugins_that_a_child_lacks_are_left_out(given: str, kept: str) -> None:
    assert without_theirs(given) == kept


def test_conditions_change_only_what_they_say() -> None:
    base = pinned(1_700_000_000.0)
    other = base.but("later", {"TZ": "EST5"}, clock=5.0)
    assert (base.environment["TZ"], other.environment["TZ"]) == ("UTC", "EST5")
    assert other.environment["PYTHONHASHSEED"] == "0"
    assert other.knobs == {**base.knobs, "clock": 5.0}
    assert natural(7).environment == {"PYTHONHASHSEED": "7"}


def test_a_project_is_copied_from_its_top_without_what_is_not_its_own(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in (".git", "venv", "tests", "tests/__pycache__"):
        (project / name).mkdir(parents=True)
        (project / name / "file").touch()
    assert top_of(project / "tests") == project
    place = make_workplace(project / "tests")
    try:
        copied = sorted(str(p.relative_to(place.copy)) for p in place.copy.rglob("*"))
        assert copied == ["tests", "tests/file"]
        assert place.inside(project / "tests") == place.copy / "tests"
        assert place.inside(tmp_path) == tmp_path
        assert place.outside(f"at {place.copy}/tests/file") == "at tests/file"
    finally:
        place.close()
    assert not place.scratch.exists()


def test_what_the_tests_left_is_not_copied_neither_files_nor_folders(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "data" / "kept").touch()
    known = paths_in(project)
    (project / "export").mkdir()
    (project / "data" / "left").touch()
    place = make_workplace(project, known)
    try:
        copied = sorted(str(p.relative_to(place.copy)) for p in place.copy.rglob("*"))
        assert copied == ["data", "data/kept"]
    finally:
        place.close()
