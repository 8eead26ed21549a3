"""What a test can do without, and what it only seems to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.assertions.shrink import shrunk
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.model import Candidate, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


def _attempt(needed: str) -> object:
    def attempt(batch: Sequence[Candidate]) -> list[Trialed]:
        return [Trialed(Outcome("passed" if needed in one.function else "failed")) for one in batch]

    return attempt


def _keeps(one: Trialed) -> bool:
    return one.outcome.status == "passed"


def test_statements_that_the_reach_does_not_need_go() -> None:
    function = "def test_it():\n    other = 1\n    last(other)\n    act()\n"
    made = shrunk(Candidate("t", "test_it", function), _attempt("act()"), _keeps)  # type: ignore[arg-type]
    assert made.function.split() == ["def", "test_it():", "act()"]


def test_a_module_stays_registered_though_it_is_imported_here_already() -> None:
    function = (
        "def test_it(monkeypatch):\n"
        "    monkeypatch.setitem(sys.modules, 'shop', module)\n"
        "    monkeypatch.setenv('SHOP', '1')\n"
        "    act()\n"
    )
    made = shrunk(Candidate("t", "test_it", function), _attempt("act()"), _keeps)  # type: ignore[arg-type]
    assert "sys.modules" in made.function
    assert "setenv" not in made.function


def test_a_test_stays_in_its_own_folder() -> None:
    function = (
        "def test_it(tmp_path, monkeypatch):\n"
        "    monkeypatch.chdir(tmp_path)\n"
        "    monkeypatch.setenv('SHOP', '1')\n"
        "    act()\n"
    )
    made = shrunk(Candidate("t", "test_it", function), _attempt("act()"), _keeps)  # type: ignore[arg-type]
    assert "monkeypatch.chdir(tmp_path)" in made.function
    assert "setenv" not in made.function


@pytest.mark.parametrize(
    "stand_in",
    ["monkeypatch.setattr(cli.os, 'execvpe', fail)", "monkeypatch.setattr('os.execv', fail)"],
)
def test_what_stands_for_a_program_that_takes_over_stays(stand_in: str) -> None:
    function = (
        "def test_it(monkeypatch):\n    def fail(*args):\n        raise OSError\n"
        f"    {stand_in}\n    monkeypatch.setattr(cli, 'execution', fail)\n    act()\n"
    )
    made = shrunk(Candidate("t", "test_it", function), _attempt("act()"), _keeps)  # type: ignore[arg-type]
    assert stand_in in made.function
    assert "execution" not in made.function


def test_what_only_a_function_reads_stays_bound() -> None:
    function = (
        "def test_it():\n    lock = object()\n    use(lambda: lock)\n    act()\n    use(act)\n"
    )
    sure = _attempt("use(lambda: lock)")
    made = shrunk(Candidate("t", "test_it", function), sure, _keeps)  # type: ignore[arg-type]
    assert made.function == "def test_it():\n    lock = object()\n    use(lambda: lock)\n"
