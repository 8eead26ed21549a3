"""The top-level handler: exit codes, one line, and a report to paste."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aipipe_core.command import run_command
from aipipe_core.errors import ExitCode, RequestError, SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def raising(error: BaseException) -> int:
    def function(argv: Sequence[str]) -> int:
        raise error

    return run_command(function, [])


def test_arguments_go_in_and_the_exit_code_comes_out() -> None:
    assert run_command(len, ["a", "b"]) == 2
    assert run_command(lambda argv: None, []) == 0
    assert run_command(lambda argv: ExitCode.NO, []) == 1


def test_an_expected_failure_is_one_line_and_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(RequestError("bad-x", "X is\nbad", hint="Mend it.")) == 2
    assert raising(SurroundingsError("no-y", "Y is gone")) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "X is bad. Mend it. [bad-x]\nY is gone. [no-y]\n"


def test_ctrl_c_is_quiet_and_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(KeyboardInterrupt()) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_wrong_argument_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    def function(argv: Sequence[str]) -> int:
        argparse.ArgumentParser(prog="x").parse_args(argv)
        return 0

    assert run_command(function, ["--nope"]) == 2
    assert run_command(function, ["--help"]) == 0
    assert raising(SystemExit("a message")) == 2
    assert raising(SystemExit()) == 0
    assert "a message" in capsys.readouterr().err


@pytest.mark.parametrize("end", ["", ".", "?"])
def test_a_failure_ends_as_a_sentence_once(end: str) -> None:
    error = RequestError("some-slug", f"Is it there{end}", hint="Look.")
    assert str(error) == f"Is it there{end or '.'} Look. [some-slug]"


def test_a_defect_leaves_a_report_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdef123456\n")
    monkeypatch.setenv("HARMLESS", "harmless-value")
    error = RuntimeError("sk-abcdef123456 at postgresql://me:pw@host/db")
    assert raising(error) == 70
    err = capsys.readouterr().err
    report = next((tmp_path / ".aipipe" / "defects").iterdir()).read_text()
    for text in (err, report):
        assert "sk-abcdef" not in text
        assert "me:pw" not in text
        assert "RuntimeError: *** at postgresql://***@host/db" in text
    assert "Traceback (most recent call last)" in report
    assert f"python: CPython {sys.version.split()[0]}" in report
    assert "harmless-value" not in report
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert (tmp_path / ".aipipe" / ".gitignore").read_text() == "*\n"


def test_a_defect_is_told_even_where_nothing_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".aipipe").write_text("in the way")
    assert raising(RuntimeError("odd")) == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "could not be saved" in err


def test_a_reader_that_goes_away_is_no_failure() -> None:
    code = (
        "import sys\nfrom aipipe_core.command import run_command\n"
        "def f(argv):\n    for n in range(100000): print('line', n)\n"
        "sys.exit(run_command(f, []))"
    )
    environ = {"PYTHONPATH": ":".join(item for item in sys.path if item)}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()
