from __future__ import annotations

from pathlib import Path

import pytest

from aipipe_core.change.kinds import kinds_of
from aipipe_core.change.model import Change, FileChange
from pytest_aipipe.select.decide import Decider, Facts, Selection
from pytest_aipipe.select.graph import Graph, python_files

PROJECT = {
    "src/pkg/__init__.py": "",
    "src/pkg/core.py": "",
    "src/pkg/api.py": "from .core import x\n",
    "src/pkg/lone.py": "",
    "src/pkg/lazy.py": "import importlib\n\ndef get(n):\n    return importlib.import_module(n)\n",
    "tests/conftest.py": "",
    "tests/helpers.py": "from pkg import lone\n",
    "tests/test_api.py": "import pkg.api\n",
    "tests/test_core.py": "from pkg.core import x\n",
    "tests/test_helped.py": "from helpers import a\n",
    "tests/test_lazy.py": "from pkg import lazy\n",
    "tests/test_none.py": "import json\n",
    "tests/test_page.py": "open('README.md')\n",
    "tests/test_runs.py": "import subprocess\n",
    "other/test_far.py": "",
}
TESTS = [path for path in PROJECT if path.rpartition("/")[2].startswith("test_")]


def selection(
    *changed: str, status: str = "M", facts: Facts | None = None, **more: str
) -> Selection:
    files = {**PROJECT, **more}
    graph = Graph(files, lambda path: files.get(path, "").encode(), ("src", "tests"))
    changes = tuple(FileChange(path, status, kinds_of(path)) for path in changed)
    change = Change(Path("/r"), "0" * 40, "worktree", changes)
    decider = Decider(change, graph, facts or Facts())
    return decider.select([(f"{path}::test", path) for path in TESTS])


def names(found: Selection) -> set[str]:
    return {nodeid.partition("::")[0].rpartition("/")[2][5:-3] for nodeid in found.reasons}


# What imports by computed names or starts programs can reach any change of code.
UNSURE = {"lazy", "runs"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/pkg/core.py", {"api", "core", *UNSURE}),
        ("src/pkg/api.py", {"api", *UNSURE}),
        ("src/pkg/lone.py", {"helped", *UNSURE}),
        ("src/pkg/__init__.py", {"api", "core", "helped", *UNSURE}),
        ("tests/helpers.py", {"helped", *UNSURE}),
        ("tests/test_core.py", {"core", *UNSURE}),
        ("tests/conftest.py", {"api", "core", "helped", "lazy", "none", "page", "runs"}),
    ],
)
def test_a_changed_module_selects_what_can_import_it(path: str, expected: set[str]) -> None:
    assert names(selection(path)) == expected


@pytest.mark.parametrize("path", ["pyproject.toml", "tox.ini", "setup.cfg", "data/x.json", "a.so"])
def test_settings_and_data_select_all(path: str) -> None:
    assert len(selection(path).reasons) == len(TESTS)


def test_documents_select_only_a_test_that_names_them() -> None:
    assert names(selection("README.md")) == {"page"}
    assert names(selection("docs/guide.md")) == set()


def test_a_deleted_module_selects_who_imported_it() -> None:
    found = selection("src/pkg/core.py", status="D")
    assert {"api", "core"} <= names(found)


def test_what_is_loaded_though_no_import_shows_it_selects_all() -> None:
    facts = Facts(loaded=frozenset({"tools/orphan.py"}))
    found = selection("tools/orphan.py", facts=facts, **{"tools/orphan.py": ""})
    assert len(found.reasons) == len(TESTS)


def test_a_plugin_of_the_project_counts_for_every_test() -> None:
    facts = Facts(always=frozenset({"src/pkg/core.py"}))
    assert len(selection("src/pkg/core.py", facts=facts).reasons) == len(TESTS)


def test_a_test_named_on_the_command_line_runs() -> None:
    facts = Facts(named=frozenset({"other/test_far.py::test"}))
    assert "far" in names(selection("src/pkg/core.py", facts=facts))


def test_an_item_that_is_no_python_file_runs() -> None:
    graph = Graph(PROJECT, lambda _: b"")
    change = Change(Path("/r"), "0", "worktree", (FileChange("src/pkg/core.py", "M", frozenset()),))
    found = Decider(change, graph, Facts()).select([("a.yaml::x", "a.yaml"), ("b::y", None)])
    assert len(found.reasons) == 2


def test_files_of_environments_and_hidden_folders_are_not_the_projects(tmp_path: Path) -> None:
    for name in ("a.py", "env/pyvenv.cfg", "env/lib/b.py", ".tox/c.py", "pkg/d.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert list(python_files(tmp_path)) == ["a.py", "pkg/d.py"]


def test_what_a_build_left_is_not_the_projects_but_a_package_called_build_is(
    tmp_path: Path,
) -> None:
    left = ("build/lib/a.py", "build/bdist.linux/b.py", "dist/p.whl", "dist/c.py")
    for name in (*left, "src/build/__init__.py", "src/build/lib/d.py", "tools/build/e.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = ["src/build/__init__.py", "src/build/lib/d.py", "tools/build/e.py"]
    assert list(python_files(tmp_path)) == found
