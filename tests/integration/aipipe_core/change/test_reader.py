"""Files, hunks and symbols of real repositories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aipipe_core.change import Change, FileChange, Hunk, Kind, read_change

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project

TWO = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"


def read(project: Project, spec: str | None = None) -> Change:
    return read_change(project.root, spec)


def only(change: Change) -> FileChange:
    assert len(change.files) == 1, change.files
    return change.files[0]


def names(file: FileChange) -> list[str]:
    return [symbol.qualname for symbol in file.symbols]


def test_an_edit_is_a_hunk_in_its_function(project: Project) -> None:
    base = project.commit(a=TWO)
    project.write("a.py", TWO.replace("return 2", "return 3"))
    change = read(project)
    assert (change.base, change.head, change.root) == (base, "worktree", project.root)
    file = only(change)
    assert (file.path, file.status, file.kinds) == ("a.py", "M", frozenset({Kind.CODE}))
    assert file.hunks == (Hunk(6, 6, ("    return 2",), ("    return 3",)),)
    assert names(file) == ["g"]
    assert file.changed_lines == {6}


def test_nothing_changed_is_an_empty_change(project: Project) -> None:
    project.commit(a=TWO)
    change = read(project)
    assert change.files == ()
    assert change.kinds == frozenset()


def test_an_untracked_file_is_added_and_an_ignored_one_is_not(project: Project) -> None:
    project.commit()
    project.write(".gitignore", "ignored.py\n")
    project.write("new.py", "x = 1\n")
    project.write("ignored.py", "x = 1\n")
    project.write(".aipipe/generated/test_x.py", "x = 1\n")
    files = {file.path: file for file in read(project).files}
    assert sorted(files) == [".gitignore", "new.py"]
    assert files["new.py"].status == "A"
    assert files["new.py"].changed_lines == {1}
    assert project.git("status", "--short") == "?? .aipipe/\n?? .gitignore\n?? new.py"


def test_reading_leaves_the_index_as_it_was(project: Project) -> None:
    project.commit(a=TWO)
    project.write("new.py", "x = 1\n")
    index = project.root / ".git" / "index"
    before = index.read_bytes()
    os.utime(project.root / "a.py", (1, 1))
    read(project)
    assert index.read_bytes() == before


def test_a_rename_keeps_its_old_path_and_only_its_edits(project: Project) -> None:
    body = "".join(f"v{n} = {n}\n" for n in range(40))
    project.commit(old=body)
    project.git("mv", "old.py", "new.py")
    project.write("new.py", body.replace("v7 = 7", "v7 = 8"))
    file = only(read(project))
    assert (file.status, file.old_path, file.path) == ("R", "old.py", "new.py")
    assert file.changed_lines == {8}


def test_a_rename_that_git_was_never_told_of_is_found(project: Project) -> None:
    project.commit(old="".join(f"v{n} = {n}\n" for n in range(40)))
    (project.root / "old.py").rename(project.root / "new.py")
    file = only(read(project))
    assert (file.status, file.old_path, file.hunks) == ("R", "old.py", ())


def test_a_copy_names_its_source(project: Project) -> None:
    body = "".join(f"v{n} = {n}\n" for n in range(40))
    project.commit(old=body)
    project.commit(old=body + "last = 1\n", copy=body)
    files = {file.path: file for file in read(project, "HEAD~1..HEAD").files}
    assert (files["copy.py"].status, files["copy.py"].old_path) == ("C", "old.py")
    assert files["old.py"].changed_lines == {41}


def test_a_change_of_mode_has_no_hunk(project: Project) -> None:
    project.commit(a=TWO)
    (project.root / "a.py").chmod(0o755)
    file = only(read(project))
    assert (file.status, file.old_mode, file.new_mode) == ("M", 0o100644, 0o100755)
    assert file.hunks == ()
    assert file.symbols == ()


def test_a_deleted_file_has_removed_lines_and_no_symbol(project: Project) -> None:
    project.commit(a=TWO)
    (project.root / "a.py").unlink()
    file = only(read(project))
    assert (file.status, file.new_mode, file.symbols) == ("D", None, ())
    assert file.changed_lines == frozenset()
    assert len(file.hunks[0].removed) == 6


def test_a_binary_file_is_marked_and_has_no_hunk(project: Project) -> None:
    project.write("p.png", b"\x89PNG\0\1")
    project.commit()
    project.write("p.png", b"\x89PNG\0\2")
    file = only(read(project))
    assert file.binary
    assert file.hunks == ()


def test_symbols_are_innermost_first_with_decorators(project: Project) -> None:
    source = "import x\n\n\nclass A:\n    @x.y\n    def f(self):\n        async def g():\n            return 1\n        return g\n"
    project.commit(a=source)
    project.write("a.py", source.replace("@x.y", "@x.z").replace("return 1", "return 2"))
    file = only(read(project))
    assert [(s.qualname, s.kind, s.start, s.end) for s in file.symbols] == [
        ("A.f.g", "async function", 7, 8),
        ("A.f", "function", 5, 9),
        ("A", "class", 4, 9),
    ]


def test_a_function_that_only_lost_lines_has_changed(project: Project) -> None:
    project.commit(a="def f():\n    a = 1\n    return 2\n\n\ndef g():\n    pass\n")
    project.write("a.py", "def f():\n    return 2\n\n\ndef g():\n    pass\n")
    file = only(read(project))
    assert file.changed_lines == frozenset()
    assert names(file) == ["f"]


def test_a_method_that_is_gone_has_changed_its_class(project: Project) -> None:
    project.commit(a="class A:\n    x = 1\n\n    def f(self):\n        return 2\n")
    project.write("a.py", "class A:\n    x = 1\n")
    assert names(only(read(project))) == ["A"]


def test_a_symbolic_link_has_no_hunk(project: Project) -> None:
    project.commit(a=TWO)
    (project.root / "link.py").symlink_to("a.py")
    file = only(read(project))
    assert (file.new_mode, file.hunks, file.error) == (0o120000, (), None)


def test_a_file_that_was_a_link_is_new_from_its_first_line(project: Project) -> None:
    project.write("a.py", TWO)
    (project.root / "b.py").symlink_to("a.py")
    project.commit()
    (project.root / "b.py").unlink()
    project.write("b.py", "x = 1\n")
    project.write("z.py", "z = 1\n")
    files = {file.path: file for file in read(project).files}
    assert (files["b.py"].status, files["b.py"].changed_lines) == ("T", frozenset({1}))
    assert files["z.py"].hunks[0].added == ("z = 1",)


def test_a_submodule_is_marked_and_its_own_dirt_is_not_ours(
    project: Project, tmp_path: Path
) -> None:
    inner = type(project)(tmp_path / "inner")
    inner.commit(a="x = 1\n")
    project.commit()
    project.git("submodule", "--quiet", "add", str(inner.root), "lib")
    project.commit("add lib")
    files = {file.path: file for file in read(project, "HEAD~1").files}
    assert files["lib"].submodule
    assert files["lib"].hunks == ()
    (project.root / "lib" / "a.py").write_text("x = 2\n")
    assert read(project).files == ()
    project.git("add", ".", cwd=project.root / "lib")
    project.git("commit", "-qm", "inside", cwd=project.root / "lib")
    assert only(read(project)).submodule


def test_a_repository_inside_that_nobody_added_is_passed_over(project: Project) -> None:
    project.commit()
    type(project)(project.root / "inner").commit(a="x = 1\n")
    project.write("b.py", "x = 1\n")
    assert only(read(project)).path == "b.py"


def test_a_conflict_is_read_with_its_markers(project: Project) -> None:
    project.commit(a="x = 1\n")
    project.git("checkout", "-qb", "side")
    project.commit(a="x = 2\n")
    project.git("checkout", "-q", "main")
    project.commit(a="x = 3\n")
    with pytest.raises(Exception, match="merge"):
        project.git("merge", "side")
    file = only(read(project, "worktree"))
    assert file.error
    assert file.error.startswith("syntax error")
    staged = only(read(project, "staged"))
    assert staged.error == "has merge conflicts"


def test_settings_of_the_user_change_nothing(project: Project) -> None:
    body = "".join(f"v{n} = {n}\n" for n in range(40))
    project.commit(a=body, b=body)
    project.write("a.py", body.replace("v7 = 7", "v7 = 8"))
    (project.root / "b.py").rename(project.root / "c.py")
    plain = read(project)
    for name, value in {
        "diff.external": "false", "diff.noprefix": "true", "diff.mnemonicPrefix": "true",
        "diff.renames": "false", "diff.context": "9", "diff.interHunkContext": "9",
        "diff.orderFile": "missing", "diff.relative": "true", "color.ui": "always",
        "color.diff": "always", "diff.submodule": "log", "diff.wordRegex": ".",
        "diff.suppressBlankEmpty": "true", "core.quotePath": "true", "core.pager": "false",
        "diff.colorMoved": "zebra", "diff.algorithm": "patience", "core.fsmonitor": "false",
        "diff.dirstat": "files", "diff.noindex": "true", "status.showUntrackedFiles": "no",
    }.items():  # fmt: skip
        project.git("config", name, value)
    assert read(project) == plain
    assert {file.status for file in plain.files} == {"M", "R"}


def test_variables_of_a_hook_do_not_lead_astray(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(project)(tmp_path / "other")
    other.commit(a="x = 1\n")
    project.commit(a=TWO)
    project.write("a.py", TWO + "x = 1\n")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=9")
    assert read(project).root == project.root
    assert only(read(project)).changed_lines == {7}
    assert os.environ["GIT_DIR"] == str(other.root / ".git")


def test_staged_and_unstaged_are_told_apart(project: Project) -> None:
    project.commit(a="x = 1\n")
    project.write("a.py", "x = 2\n")
    project.git("add", "a.py")
    project.write("a.py", "x = 2\ny = 3\n")
    staged, worktree = read(project, "staged"), read(project, "worktree")
    assert (staged.head, only(staged).changed_lines) == ("staged", frozenset({1}))
    assert only(staged).hunks[0].added == ("x = 2",)
    assert (worktree.head, only(worktree).changed_lines) == ("worktree", frozenset({1, 2}))


def test_an_intent_to_add_is_in_the_worktree_and_not_staged(project: Project) -> None:
    project.commit()
    project.write("a.py", "x = 1\n")
    project.git("add", "--intent-to-add", "a.py")
    assert only(read(project, "worktree")).changed_lines == {1}
    assert read(project, "staged").files == ()


def test_the_messages_of_the_commits_are_kept(project: Project) -> None:
    project.commit("first")
    project.commit("second\n\nwith a body")
    project.commit("third")
    assert read(project, "HEAD~2..HEAD").message == "third\n\nsecond\n\nwith a body"
    assert read(project, "HEAD~2").message == "third\n\nsecond\n\nwith a body"


def test_fifty_thousand_changed_lines_are_read(project: Project) -> None:
    project.commit(big="".join(f"v{n} = {n}\n" for n in range(25_000)))
    project.write("big.py", "".join(f"v{n} = {n} + 1\n" for n in range(25_000)))
    project.write("new.py", "".join(f"def f{n}():\n    return {n}\n" for n in range(12_500)))
    files = {file.path: file for file in read(project).files}
    assert len(files["big.py"].changed_lines) == 25_000
    assert len(files["new.py"].symbols) == 12_500


def test_an_edit_in_the_very_second_of_the_commit_is_seen(project: Project) -> None:
    project.git("config", "core.trustctime", "false")
    file, index = project.root / "a.py", project.root / ".git" / "index"
    project.write("a.py", "x = 1\n")
    moment = (1_700_000_000, 1_700_000_000)
    os.utime(file, moment)
    project.commit()
    os.utime(index, moment)
    project.write("a.py", "x = 2\n")  # of the same size
    os.utime(file, moment)
    project.write("new.py", "y = 1\n")
    assert [file.path for file in read(project).files] == ["a.py", "new.py"]
