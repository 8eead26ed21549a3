"""A verdict that changed while its causes did not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from aipipe_core.store import open_store
from pytest_aipipe.flaky.history import KEPT, Causes, History, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def history() -> Iterator[History]:
    with open_store(":memory:") as store:
        yield History(store)


def test_another_verdict_of_the_same_code_is_told(history: History) -> None:
    history.note({"t": "passed"}, {"t": "d"})
    history.note({"t": "passed"}, {"t": "d"})
    found = history.changed({"t": "failed"}, {"t": "d"})
    assert found == {"t": "passed in 2 of 2 earlier runs of the same code"}


def test_another_verdict_of_other_code_is_not(history: History) -> None:
    history.note({"t": "passed"}, {"t": "before"})
    assert history.changed({"t": "failed"}, {"t": "after"}) == {}


def test_only_so_many_verdicts_are_kept(history: History) -> None:
    for _ in range(KEPT + 5):
        history.note({"t": "failed"}, {"t": "d"})
    assert history.changed({"t": "passed"}, {"t": "d"})["t"].startswith(f"failed in {KEPT} of")


def test_the_digest_changes_with_whatever_the_test_can_load(tmp_path: Path) -> None:
    def digest() -> str:
        return Causes(tmp_path).digest("tests/test_a.py")

    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("import shop\n")
    (tmp_path / "shop.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("A = 1\n")
    (tmp_path / "other.py").write_text("A = 1\n")
    first = digest()
    (tmp_path / "other.py").write_text("A = 2\n")
    assert digest() == first
    for name in ("helper.py", "tests/conftest.py", "conftest.py", "pytest.ini"):
        before = digest()
        (tmp_path / name).write_text("# another\n")
        assert digest() != before


def test_the_digest_changes_with_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_a.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site")
    before = Causes(tmp_path).digest("test_a.py")
    (tmp_path / "site" / "shop-1.0.dist-info").mkdir(parents=True)
    assert Causes(tmp_path).digest("test_a.py") != before


def test_a_skipped_test_has_no_verdict_and_an_error_counts_as_failed() -> None:
    def report(nodeid: str, when: str, outcome: str) -> SimpleNamespace:
        flags = {name: outcome == name for name in ("passed", "failed", "skipped")}
        return SimpleNamespace(nodeid=nodeid, when=when, **flags)

    found = outcomes(
        [
            report("a", "setup", "passed"),
            report("a", "call", "passed"),
            report("a", "teardown", "failed"),
            report("b", "setup", "failed"),
            report("c", "setup", "skipped"),
            report("d", "call", "passed"),
        ]
    )
    assert found == {"a": "failed", "b": "failed", "d": "passed"}
