"""What a SPEC asks for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aipipe_core.change.exclude import is_excluded
from aipipe_core.change.git import command, is_foreign
from aipipe_core.change.spec import Mode, Spec, parse_spec
from aipipe_core.errors import RequestError


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (None, Spec(Mode.DEFAULT)),
        ("", Spec(Mode.DEFAULT)),
        ("  ", Spec(Mode.DEFAULT)),
        ("staged", Spec(Mode.STAGED)),
        ("worktree", Spec(Mode.WORKTREE)),
        ("HEAD~2", Spec(Mode.SINCE, "HEAD~2")),
        ("a..b", Spec(Mode.RANGE, "a", "b")),
        ("a...b", Spec(Mode.MERGE_BASE, "a", "b")),
        ("..b", Spec(Mode.RANGE, "HEAD", "b")),
        ("a..", Spec(Mode.RANGE, "a", "HEAD")),
        ("v1.0..v1.1", Spec(Mode.RANGE, "v1.0", "v1.1")),
        (":/fix a..b", Spec(Mode.SINCE, ":/fix a..b")),
        ("HEAD^{/a..b}", Spec(Mode.SINCE, "HEAD^{/a..b}")),
    ],
)
def test_a_spec_is_read_as_git_reads_it(text: str | None, spec: Spec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize("text", ["..", "...", "a....b", "a..b..c", "-x", "a..-x", "a\tb", "a\0b"])
def test_a_spec_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"\[bad-spec\]"):
        parse_spec(text)


def test_variables_that_name_a_repository_are_foreign_and_those_of_the_machine_stay() -> None:
    assert is_foreign("GIT_DIR")
    assert is_foreign("GIT_INDEX_FILE")
    assert is_foreign("GIT_CONFIG_PARAMETERS")
    assert not is_foreign("GIT_SSL_CAINFO")
    assert not is_foreign("GIT_CONFIG_KEY_0")
    assert not is_foreign("PATH")


def test_a_command_is_git_with_quiet_settings() -> None:
    argv = command("diff", "--raw")
    assert argv[0] == "git"
    assert argv[-2:] == ["diff", "--raw"]
    assert "core.fsmonitor=false" in argv


def test_importing_the_change_imports_neither_gitpython_nor_unidiff() -> None:
    code = (
        "import sys, aipipe_core.change\n"
        "print(sorted({'git', 'gitdb', 'unidiff'} & set(sys.modules)))"
    )
    path = ":".join(item for item in sys.path if item)
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, check=True
    )
    assert done.stdout == b"[]\n"


@pytest.mark.parametrize(
    ("glob", "path", "excluded"),
    [
        ("*.py", "a/b.py", True),
        ("*.py", "a/b.pyi", False),
        ("gen", "a/gen/b.py", True),
        ("gen/", "gen/b.py", True),
        ("gen/*.py", "gen/deep/b.py", False),
        ("gen/**/*.py", "gen/deep/er/b.py", True),
        ("gen/**/*.py", "gen/b.py", True),
        ("/gen", "a/gen/b.py", False),
        ("gen", "gender.py", False),
        ("a?.py", "ab.py", True),
        ("a.py", "abpy", False),
    ],
)
def test_a_glob_names_files_and_folders(glob: str, path: str, excluded: bool) -> None:
    assert is_excluded(path, [glob]) is excluded
