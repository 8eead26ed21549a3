"""Which two ends a SPEC names, in repositories of every shape."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from aipipe_core.change import base_worktree, file_at, read_change
from aipipe_core.change.resolve import EMPTY_TREES
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project


def refused(root: Path, spec: str | None, **options: str) -> AipipeError:
    with pytest.raises(AipipeError) as caught:
        read_change(root, spec, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def clone(project: Project, target: Path, *options: str) -> Project:
    project.git("clone", "-q", *options, f"file://{project.root}", str(target))
    return type(project)(target)


def test_without_a_spec_the_base_is_where_the_branch_began(project: Project) -> None:
    fork = project.commit(a="x = 1\n")
    project.git("checkout", "-qb", "topic")
    project.commit(b="y = 1\n")
    project.git("checkout", "-q", "main")
    project.commit(c="z = 1\n")
    project.git("checkout", "-q", "topic")
    change = read_change(project.root, None)
    assert change.base == fork
    assert [file.path for file in change.files] == ["b.py"]


def test_the_remote_says_which_branch_is_the_default(project: Project, tmp_path: Path) -> None:
    project.git("branch", "-qm", "trunk")
    fork = project.commit(a="x = 1\n")
    copy = clone(project, tmp_path / "copy")
    copy.commit(b="y = 1\n")
    assert read_change(copy.root, None).base == fork


def test_commits_not_yet_pushed_to_the_default_branch_count(
    project: Project, tmp_path: Path
) -> None:
    fork = project.commit(a="x = 1\n")
    copy = clone(project, tmp_path / "copy")
    copy.commit(b="y = 1\n")
    change = read_change(copy.root, None)
    assert (change.base, [file.path for file in change.files]) == (fork, ["b.py"])


def test_on_the_only_branch_the_working_tree_is_compared_with_head(project: Project) -> None:
    project.git("branch", "-qm", "odd")
    head = project.commit(a="x = 1\n")
    project.write("a.py", "x = 2\n")
    change = read_change(project.root, None)
    assert change.base == head
    assert len(change.files) == 1


def test_the_default_branch_can_be_named(project: Project) -> None:
    fork = project.commit(a="x = 1\n")
    project.git("branch", "release")
    project.commit(b="y = 1\n")
    assert read_change(project.root, None, default_branch="release").base == fork
    error = refused(project.root, None, default_branch="nowhere")
    assert error.slug == "unknown-default-branch"


def test_where_no_default_branch_can_be_guessed_it_is_asked_for(project: Project) -> None:
    project.commit()
    project.git("branch", "-qm", "one")
    project.git("branch", "two")
    assert refused(project.root, None).slug == "unknown-default-branch"


def test_init_default_branch_is_heeded(project: Project) -> None:
    fork = project.commit()
    project.git("branch", "-qm", "trunk")
    project.git("config", "init.defaultBranch", "trunk")
    project.git("checkout", "-qb", "topic")
    project.commit(b="y = 1\n")
    assert read_change(project.root, None).base == fork


def test_before_the_first_commit_everything_is_new(project: Project) -> None:
    project.write("a.py", "x = 1\n")
    for spec in (None, "worktree"):
        change = read_change(project.root, spec)
        assert change.base in EMPTY_TREES
        assert change.files[0].status == "A"
    assert read_change(project.root, "staged").files == ()
    project.git("add", ".")
    assert read_change(project.root, "staged").files[0].changed_lines == {1}


@pytest.mark.parametrize("spec", ["HEAD^..HEAD", "HEAD~1..HEAD", "HEAD~..HEAD", "HEAD^", "HEAD~1"])
def test_the_parent_of_the_first_commit_is_the_empty_tree(project: Project, spec: str) -> None:
    project.commit(a="x = 1\n")
    change = read_change(project.root, spec)
    assert change.base in EMPTY_TREES
    assert change.files[0].changed_lines == {1}
    assert change.message == "work"


def test_the_empty_tree_can_be_named(project: Project) -> None:
    project.commit(a="x = 1\n")
    change = read_change(project.root, "4b825dc642cb6eb9a060e54bf8d69288fbee4904..HEAD")
    assert change.files[0].status == "A"
    assert file_at(project.root, change.base, "a.py") is None


def test_two_and_three_dots_differ_as_in_git(project: Project) -> None:
    fork = project.commit(a="x = 1\n")
    project.git("checkout", "-qb", "topic")
    topic = project.commit(b="y = 1\n")
    project.git("checkout", "-q", "main")
    main = project.commit(c="z = 1\n")
    two, three = read_change(project.root, "main..topic"), read_change(project.root, "main...topic")
    assert (two.base, two.head, three.base, three.head) == (main, topic, fork, topic)
    assert [file.path for file in two.files] == ["b.py", "c.py"]
    assert [file.path for file in three.files] == ["b.py"]
    assert read_change(project.root, "topic..").head == main
    assert read_change(project.root, "...topic").head == topic


def test_a_merge_is_compared_with_its_first_parent(project: Project) -> None:
    project.commit(a="x = 1\n")
    project.git("checkout", "-qb", "topic")
    project.commit(b="y = 1\n")
    project.git("checkout", "-q", "main")
    project.commit(c="z = 1\n")
    project.git("merge", "-q", "--no-edit", "topic")
    assert [f.path for f in read_change(project.root, "HEAD^..HEAD").files] == ["b.py"]
    assert [f.path for f in read_change(project.root, "HEAD^2..HEAD").files] == ["c.py"]


def test_a_detached_head_is_a_head(project: Project) -> None:
    fork = project.commit(a="x = 1\n")
    head = project.commit(a="x = 2\n")
    project.git("checkout", "-q", "--detach", "HEAD")
    project.git("branch", "-qf", "main", fork)
    change = read_change(project.root, None)
    assert change.base == fork
    assert read_change(project.root, f"{fork[:8]}..{head[:8]}").head == head


def test_a_read_from_a_subfolder_covers_the_whole_repository(project: Project) -> None:
    project.commit()
    project.write("pkg/a.py", "x = 1\n")
    project.write("b.py", "x = 1\n")
    change = read_change(project.root / "pkg", None)
    assert change.root == project.root
    assert [file.path for file in change.files] == ["b.py", "pkg/a.py"]


def test_a_linked_worktree_is_read_as_itself(project: Project, tmp_path: Path) -> None:
    project.commit(a="x = 1\n")
    linked = tmp_path / "linked"
    project.git("worktree", "add", "-q", "-b", "topic", str(linked))
    (linked / "a.py").write_text("x = 2\n")
    (linked / "b.py").write_text("y = 2\n")
    change = read_change(linked, None)
    assert change.root == linked
    assert [file.path for file in change.files] == ["a.py", "b.py"]
    assert read_change(project.root, None).files == ()


def test_a_shallow_clone_names_the_fetch_that_heals_it(project: Project, tmp_path: Path) -> None:
    project.commit(a="x = 1\n")
    project.git("checkout", "-qb", "topic")
    project.commit(b="y = 1\n")
    project.git("checkout", "-q", "main")
    project.commit(c="z = 1\n")
    copy = clone(project, tmp_path / "copy", "--depth=1", "--no-single-branch", "--branch=topic")
    for spec in (None, "HEAD~1", "HEAD^..HEAD", "origin/main...HEAD"):
        error = refused(copy.root, spec)
        assert (error.slug, error.exit_code) == ("shallow-clone", 3)
        assert "git fetch --unshallow origin" in error.hint
        assert "--deepen" in error.hint
    command = refused(copy.root, None).hint.removeprefix("Run: ").split(" (")[0]
    copy.git(*command.split()[1:])
    assert [file.path for file in read_change(copy.root, None).files] == ["b.py"]


def test_a_shallow_clone_of_one_branch_names_the_branch_to_fetch(
    project: Project, tmp_path: Path
) -> None:
    project.commit(a="x = 1\n")
    project.git("checkout", "-qb", "topic")
    project.commit(b="y = 1\n")
    copy = clone(project, tmp_path / "copy", "--depth=1", "--branch=topic")

    error = refused(copy.root, None, default_branch="main")
    command = error.hint.removeprefix("Run: ").split(" (")[0]
    assert command == "git fetch --unshallow origin main:refs/remotes/origin/main"
    copy.git(*command.split()[1:])
    assert [f.path for f in read_change(copy.root, None, default_branch="main").files] == ["b.py"]


def test_a_shallow_clone_that_holds_what_is_asked_is_enough(
    project: Project, tmp_path: Path
) -> None:
    project.commit(a="x = 1\n")
    copy = clone(project, tmp_path / "copy", "--depth=1")
    copy.write("a.py", "x = 2\n")
    assert len(read_change(copy.root, None).files) == 1


def test_branches_without_common_history_are_an_error(project: Project) -> None:
    project.commit(a="x = 1\n")
    project.git("checkout", "-q", "--orphan", "other")
    project.commit(b="y = 1\n")
    assert refused(project.root, None).slug == "no-merge-base"


@pytest.mark.parametrize(
    ("spec", "slug"),
    [
        ("nope", "unknown-revision"),
        ("HEAD~99", "unknown-revision"),
        ("main..nope", "unknown-revision"),
        ("HEAD:a.py", "unknown-revision"),
        ("0" * 40, "unknown-revision"),
        ("a b", "unknown-revision"),
        ("..", "bad-spec"),
        ("a....b", "bad-spec"),
        ("a..b..c", "bad-spec"),
        ("--output=x", "bad-spec"),
        ("HEAD..--output=x", "bad-spec"),
        ("a\nb", "bad-spec"),
    ],
)
def test_a_revision_that_is_none_is_a_wrong_request(project: Project, spec: str, slug: str) -> None:
    project.commit(a="x = 1\n")
    error = refused(project.root, spec)
    assert (error.slug, error.exit_code) == (slug, 2)
    assert error.hint
    assert not (project.root / "x").exists()


def test_a_name_with_two_meanings_is_not_guessed(project: Project) -> None:
    project.commit(a="x = 1\n")
    project.git("tag", "twice")
    project.commit(a="x = 2\n")
    project.git("branch", "twice")
    assert refused(project.root, "twice").slug == "ambiguous-revision"
    assert len(read_change(project.root, "refs/tags/twice").files) == 1


def test_a_tag_with_a_message_names_its_commit(project: Project) -> None:
    first = project.commit(a="x = 1\n")
    project.git("tag", "-am", "one", "v1")
    assert read_change(project.root, "v1").base == first


def test_outside_a_repository_the_error_says_so(tmp_path: Path) -> None:
    error = refused(tmp_path, None)
    assert (error.slug, error.exit_code) == ("not-a-repository", 2)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone", None).slug == "no-such-folder"


def test_a_bare_repository_has_no_change_to_read(project: Project, tmp_path: Path) -> None:
    project.commit()
    project.git("clone", "-q", "--bare", str(project.root), str(tmp_path / "bare"))
    assert refused(tmp_path / "bare", None).slug == "no-working-tree"


def test_without_git_the_error_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.commit()
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refused(project.root, None)
    assert (error.slug, error.exit_code) == ("git-missing", 3)


def test_a_process_that_never_had_git_fails_in_one_line(project: Project, tmp_path: Path) -> None:
    project.commit()
    code = (
        "from pathlib import Path; from aipipe_core.change import read_change\n"
        f"try: read_change(Path({str(project.root)!r}), None)\n"
        "except Exception as error: print(error.slug)"
    )
    path = os.pathsep.join(item for item in sys.path if item)
    environ = {"PATH": str(tmp_path), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True
    )
    assert done.stdout == b"git-missing\n"


def test_a_repository_of_another_owner_names_the_setting(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.commit()
    real = project.git("--exec-path")
    fake = project.root.parent / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "{real}/git" "$@"\n', encoding="utf-8"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    error = refused(project.root, None)
    assert (error.slug, error.exit_code) == ("git-unsafe-directory", 3)
    assert f"safe.directory '{project.root}'" in error.hint


def test_the_base_is_checked_out_once_and_the_repository_is_untouched(
    project: Project, tmp_path: Path
) -> None:
    project.write(".gitattributes", "hidden.py export-ignore\n")
    base = project.commit(pkg__a="x = 1\n", hidden="y = 1\n")
    project.write("pkg/a.py", "x = 2\n")
    (project.root / "hidden.py").unlink()
    before = {path: path.stat().st_mtime_ns for path in project.root.rglob("*") if path.is_file()}
    change = read_change(project.root, None)
    folder = base_worktree(change, tmp_path / "bases")
    assert folder == tmp_path / "bases" / base
    assert (folder / "pkg" / "a.py").read_text() == "x = 1\n"
    assert (folder / "hidden.py").read_text() == "y = 1\n"
    stamp = folder.stat().st_ino
    assert base_worktree(change, tmp_path / "bases").stat().st_ino == stamp
    after = {path: path.stat().st_mtime_ns for path in project.root.rglob("*") if path.is_file()}
    assert after == before
    assert not (project.root / ".git" / "worktrees").exists()
    assert [path.name for path in (tmp_path / "bases").iterdir()] == [base]


def test_the_base_of_a_first_commit_is_an_empty_folder(project: Project, tmp_path: Path) -> None:
    project.write("a.py", "x = 1\n")
    folder = base_worktree(read_change(project.root, None), tmp_path / "bases")
    assert list(folder.iterdir()) == []


def test_a_file_is_read_at_every_kind_of_revision(project: Project) -> None:
    first = project.commit(a="x = 1\n")
    project.write("a.py", b"x = 2\n")
    project.git("add", ".")
    project.write("a.py", b"x = 3\r\n")
    assert file_at(project.root, first, "a.py") == b"x = 1\n"
    assert file_at(project.root, "staged", "a.py") == b"x = 2\n"
    assert file_at(project.root, "worktree", "a.py") == b"x = 3\r\n"
    for rev in (first, "staged", "worktree"):
        assert file_at(project.root, rev, "missing.py") is None
        assert file_at(project.root, rev, "") is None
        assert file_at(project.root, rev, "../project/a.py") is None
        assert file_at(project.root, rev, str(project.root / "a.py")) is None


def test_a_file_of_an_unknown_revision_is_an_error_and_not_absent(project: Project) -> None:
    project.commit(a="x = 1\n")
    with pytest.raises(AipipeError, match=r"\[unknown-revision\]"):
        file_at(project.root, "nope", "a.py")


def test_too_few_digits_of_a_hash_are_not_guessed(project: Project) -> None:
    stream = "".join(
        f"commit refs/heads/many\ncommitter A <a@b> {n} +0000\ndata 1\nx\n" for n in range(900)
    )
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=project.root, input=stream.encode(), check=True
    )
    hashes = project.git("rev-list", "many").split()
    short = Counter(name[:4] for name in hashes).most_common(1)[0]
    assert short[1] > 1
    assert refused(project.root, short[0]).slug == "ambiguous-revision"


def test_a_broken_repository_is_told_in_gits_own_words(project: Project) -> None:
    project.commit(a="x = 1\n")
    (project.root / ".git" / "index").write_bytes(b"broken")
    error = refused(project.root, None)
    assert (error.slug, error.exit_code) == ("git-failed", 3)
    assert "index" in error.what


def test_what_is_excluded_is_left_out(project: Project) -> None:
    project.commit()
    for path in ("gen/a.py", "gen/deep/b.py", "src/c.py", "src/d_pb2.py"):
        project.write(path, "x = 1\n")
    change = read_change(project.root, None, exclude=["gen/**", "*_pb2.py"])
    assert [file.path for file in change.files] == ["src/c.py"]
