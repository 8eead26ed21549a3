"""The history of a context, read from a real repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.optimise.history import changes_of, last_commits, repository_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project


def test_changes_are_counted_below_the_context_only(project: Project) -> None:
    project.write("web/app ü.py", "1")
    project.write("other/x", "1")
    project.commit("one")
    project.write("web/app ü.py", "2")
    second = project.commit("two")
    project.write("other/x", "2")
    project.commit("three")
    assert changes_of(project.root / "web") == {"app ü.py": 2}
    assert last_commits(project.root / "web", 1) == [second]
    assert len(last_commits(project.root / "web", 9)) == 2
    place = repository_of(project.root / "web")
    assert place is not None
    assert place[1] == "web"


def test_without_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert not changes_of(tmp_path)
    assert last_commits(tmp_path, 3) == []
    assert repository_of(tmp_path) is None
