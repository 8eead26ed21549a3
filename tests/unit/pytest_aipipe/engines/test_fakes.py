from __future__ import annotations

import ast

import pytest

from pytest_aipipe.engines.source.fakes import fakes_of, starts_process


def lines_for(code: str) -> list[str]:
    return [line for fake in fakes_of(ast.parse(code)) for line in fake.lines]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (
            "shutil.which('less')",
            "monkeypatch.setattr('shutil.which', lambda *args, **kwargs: None)",
        ),
        ("sys.stdout.isatty()", "monkeypatch.setattr('sys.stdout.isatty', lambda: True)"),
        ("sys.stdin.read()", "monkeypatch.setattr('sys.stdin', StringIO('text\\n'))"),
        ("os.environ['HOME']", "monkeypatch.delenv('HOME', raising=False)"),
        ("'HOME' in os.environ", "monkeypatch.setenv('HOME', '1')"),
        ("input('?')", "monkeypatch.setattr('builtins.input', lambda *args, **kwargs: 'text')"),
        ("subprocess.run(['ls'])", "monkeypatch.setattr('subprocess.run', run)"),
        ("subprocess.Popen(['ls'])", "monkeypatch.setattr('subprocess.Popen', start)"),
    ],
)
def test_what_code_asks_of_its_surroundings_gets_a_stand_in(code: str, wanted: str) -> None:
    assert wanted in lines_for(code)


def test_code_that_asks_nothing_gets_none() -> None:
    assert lines_for("def f(a):\n    return a.read() + len(a)") == []


def test_every_stand_in_is_valid_python() -> None:
    for code in ("subprocess.Popen(1)", "subprocess.run(1)", "sys.stdin", "os.path.exists('a')"):
        for line in lines_for(code):
            ast.parse(line)


def test_a_program_that_is_started_is_known_as_one() -> None:
    (well, ill) = fakes_of(ast.parse("subprocess.Popen(['less'])"))
    assert starts_process(well)
    assert "returncode=0" in well.lines[0]
    assert "returncode=1" in ill.lines[0]
    assert not any(starts_process(one) for one in fakes_of(ast.parse("shutil.which('a')")))
