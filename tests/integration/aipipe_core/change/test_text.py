"""The text of changed files: encodings, line ends, paths, source that does not parse."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from aipipe_core.change import Change, FileChange, Hunk, read_change

if TYPE_CHECKING:
    from tests.integration.conftest import Project

TWO = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"


def read(project: Project, spec: str | None = None) -> Change:
    return read_change(project.root, spec)


def only(change: Change) -> FileChange:
    assert len(change.files) == 1, change.files
    return change.files[0]


def names(file: FileChange) -> list[str]:
    return [symbol.qualname for symbol in file.symbols]


def test_source_that_an_attribute_calls_binary_is_read_all_the_same(project: Project) -> None:
    project.write(".gitattributes", "*.py -diff\n")
    project.commit(a=TWO)
    project.write("a.py", TWO.replace("return 1", "return 0"))
    file = only(read(project))
    assert not file.binary
    assert names(file) == ["f"]


def test_a_null_byte_in_source_is_an_error_of_the_file(project: Project) -> None:
    project.commit(a=TWO)
    project.write("a.py", b"x = 1\n\0\n")
    file = only(read(project))
    assert file.binary
    assert file.error


def test_lines_that_end_in_crlf_are_numbered_and_cut(project: Project) -> None:
    project.commit(a=TWO.replace("\n", "\r\n"))
    project.write("a.py", TWO.replace("\n", "\r\n").replace("return 2", "return 3"))
    file = only(read(project))
    assert file.hunks == (Hunk(6, 6, ("    return 2",), ("    return 3",)),)
    assert names(file) == ["g"]


def test_crlf_that_git_translates_is_no_change(project: Project) -> None:
    project.git("config", "core.autocrlf", "true")
    project.commit(a=TWO)
    project.write("a.py", TWO.replace("\n", "\r\n").replace("return 2", "return 3"))
    assert only(read(project)).changed_lines == {6}


def test_a_byte_order_mark_is_no_part_of_the_source(project: Project) -> None:
    project.commit(a="\ufeffdef f():\n    return 1\n")
    project.write("a.py", "\ufeffdef f():\n    return 2\n")
    file = only(read(project))
    assert names(file) == ["f"]
    assert file.error is None


def test_a_declared_encoding_decodes_the_lines(project: Project) -> None:
    head = "# -*- coding: latin-1 -*-\n"
    project.commit(a=(head + "s = 'a'\n").encode("latin-1"))
    project.write("a.py", (head + "s = 'é'\n").encode("latin-1"))
    file = only(read(project))
    assert file.hunks[0].added == ("s = 'é'",)
    assert names(file) == ["<module>"]


def test_an_unknown_encoding_is_an_error_of_the_file(project: Project) -> None:
    project.commit()
    project.write("a.py", "# coding: martian\nx = 1\n")
    file = only(read(project))
    assert file.changed_lines == {1, 2}
    assert file.error
    assert "martian" in file.error


def test_bytes_that_are_not_utf8_survive(project: Project) -> None:
    project.commit()
    project.write("a.txt", b"caf\xe9\n")
    file = only(read(project))
    assert os.fsencode(file.hunks[0].added[0]) == b"caf\xe9"


@pytest.mark.parametrize(
    "name",
    ["ü/naïve módulo.py", "tab\there.py", 'quote".py', "new\nline.py", "-dash.py", ":(top)x.py"],
)
def test_a_strange_path_is_read_as_it_is(project: Project, name: str) -> None:
    project.commit()
    project.write(name, "x = 1\n")
    file = only(read(project))
    assert file.path == name
    assert names(file) == ["<module>"]
    project.commit()
    project.write(name, "x = 2\n")
    assert only(read(project)).changed_lines == {1}
    assert only(read(project, "HEAD~1..HEAD")).path == name


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system wants UTF-8 names")
def test_a_path_that_is_not_utf8_is_read(project: Project) -> None:
    project.commit()
    project.write(b"caf\xe9.py", "x = 1\n")
    file = only(read(project))
    assert os.fsencode(file.path) == b"caf\xe9.py"
    assert file.changed_lines == {1}


def test_a_syntax_error_is_told_and_the_hunks_stay(project: Project) -> None:
    project.commit(a=TWO)
    project.write("a.py", TWO + "def broken(:\n")
    file = only(read(project))
    assert file.changed_lines == {7}
    assert file.symbols == ()
    assert file.error
    assert file.error.startswith("syntax error in line 7")


def test_a_doubtful_escape_in_source_warns_nobody(project: Project) -> None:
    project.commit(a=TWO)
    project.write("a.py", TWO + 's = "\\d"\nif 1 is 1: pass\n')
    assert only(read(project)).error is None


def test_a_last_line_without_an_end_is_a_line(project: Project) -> None:
    project.commit(a="a = 1\nb = 2")
    project.write("a.py", "a = 1\nb = 2\nc = 3")
    file = only(read(project))
    assert file.hunks == (Hunk(2, 2, ("b = 2",), ("b = 2", "c = 3")),)


@pytest.mark.parametrize("character", ["\f", "\x1c", "\x85", "\u2028", "\v"])
def test_only_python_line_ends_end_a_line(project: Project, character: str) -> None:
    text = f"s = '{character}{character}'\nt = 1\n"
    project.commit(a=text)
    project.write("a.py", text + "u = 2\n")
    file = only(read(project))
    assert file.hunks == (Hunk(2, 3, (), ("u = 2",)),)


def test_a_lone_carriage_return_ends_a_line_as_it_does_in_python(project: Project) -> None:
    project.commit(a="a = 1\rb = 2\rc = 3\n")
    project.write("a.py", "a = 1\rb = 9\rc = 3\n")
    file = only(read(project))
    assert file.hunks == (Hunk(2, 2, ("b = 2",), ("b = 9",)),)


def test_a_form_feed_between_functions_moves_no_line(project: Project) -> None:
    source = "def f():\n    return 1\n\f\ndef g():\n    return 2\n"
    project.commit(a=source)
    project.write("a.py", source.replace("return 2", "return 3"))
    assert names(only(read(project))) == ["g"]


def test_lines_that_look_like_a_diff_are_lines(project: Project) -> None:
    tricky = "-- a/x\n++ b/x\n@@ -1 +1 @@\ndiff --git a/x b/x\n\\ No newline at end of file\n"
    project.write("a.txt", "start\n" + tricky)
    project.write("b.txt", "b\n")
    project.commit()
    project.write("a.txt", "other\n")
    project.write("b.txt", "c\n" + tricky)
    files = {file.path: file for file in read(project).files}
    assert files["a.txt"].hunks[0].removed == ("start", *tricky.splitlines())
    assert files["b.txt"].hunks[0].added == ("c", *tricky.splitlines())
