"""Bad requests: one clear line with a slug, pytest's usage error, no traceback, nothing lost."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest

# pytester takes what a nested pytest imports away again; a C extension does not come back.
import pytest_aipipe.session.start  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

USAGE = 4

TABLE = [
    (["--ai-diff=nosuch"], "unknown-revision"),
    (["--ai-diff=HEAD~99"], "unknown-revision"),
    (["--ai-diff=HEAD..nosuch"], "unknown-revision"),
    (["--ai-diff=nosuch...HEAD"], "unknown-revision"),
    (["--ai-diff", "nosuch"], "unknown-revision"),
    (["--ai-diff", "no/such/path"], "unknown-revision"),
    (["--ai-diff= "], "bad-spec"),
    (["--ai-diff=HEAD "], "bad-spec"),
    (["--ai-diff=--output=x"], "bad-spec"),
    (["--ai-diff=a\nb"], "bad-spec"),
    (["--ai-diff", "main"], "ambiguous-spec"),
    (["--ai-diff", "--ai-write", "nowhere"], "ambiguous-write"),
    (["--ai-diff", "--ai-budget=abc"], "bad-budget"),
    (["--ai-diff", "--ai-budget="], "bad-budget"),
    (["--ai-diff", "--ai-budget=-1"], "bad-budget"),
    (["--ai-diff", "--ai-budget=nan"], "bad-budget"),
    (["--ai-diff", "--ai-budget=inf"], "bad-budget"),
    (["--ai-diff", "--ai-budget=1m"], "bad-budget"),
    (["--ai-diff", "--ai-report=foo"], "bad-report"),
    (["--ai-diff", "--ai-report="], "bad-report"),
    (["--ai-diff", "--ai-report=json:"], "bad-report"),
    (["--ai-diff", "--ai-report=JSON:x.json"], "bad-report"),
    (["--ai-diff", "--ai-report=json:tests"], "bad-report"),
    (["--ai-diff", "--ai-report=json:calc.py/x.json"], "bad-report"),
    (["--ai-diff", "--ai-report=md:calc.py"], "report-over-source"),
    (["--ai-diff", "--ai-report=md:pytest.ini"], "report-over-source"),
    (["--ai-diff", "--ai-report=json:a", "--ai-report=md:a"], "report-twice"),
    (["--ai-diff", "--ai-engine=magic"], "unknown-engine"),
    (["--ai-diff", "--ai-engine="], "bad-engine"),
    (["--ai-diff", "--ai-engine=local,,none"], "bad-engine"),
    (["--ai-diff", "--ai-engine=local,local"], "bad-engine"),
    (["--ai-diff", "--ai-engine=none,local"], "bad-engine"),
    (["--ai-diff", "--ai-engine=local,magic"], "unknown-engine"),
    (["--ai-diff", "--ai-send=all"], "bad-send"),
    (["--ai-diff", "--ai-max-cost=much"], "bad-max-cost"),
    (["--ai-diff", "--ai-max-tokens=1/2/3"], "bad-max-tokens"),
    (["--ai-diff", "--ai-write=../elsewhere"], "write-outside"),
    (["--ai-diff", "--ai-write=/"], "write-outside"),
    (["--ai-diff", "--ai-write=.git/hooks"], "write-outside"),
    (["--ai-diff", "--ai-write=calc.py"], "write-to-file"),
    (["--ai-diff", "--ai-write=calc.py/tests"], "write-to-file"),
    (["--ai-diff", "--ai-write= "], "bad-write"),
    (["--ai-diff", "--ai-fail-under=200"], "bad-fail-under"),
    (["--ai-diff", "--ai-fail-under=-1"], "bad-fail-under"),
    (["--ai-diff", "--ai-fail-under=most"], "bad-fail-under"),
    (["--ai-diff", "--ai-behavior=maybe"], "bad-behavior"),
    (["--ai-diff", "--ai-select=some"], "bad-select"),
    (["--ai-diff", "--ai-flaky-reruns=many"], "bad-flaky-reruns"),
    (["--ai-diff", "--ai-flaky-reruns=-3"], "bad-flaky-reruns"),
    (["--ai-diff", "--ai-flaky-reruns=2.5"], "bad-flaky-reruns"),
    (["--ai-diff", "--ai-sandbox=maybe"], "bad-sandbox"),
    (["-o", "ai_budget=abc", "--ai-diff"], "bad-budget"),
    (["-o", "ai_diff=nosuch"], "unknown-revision"),
    (["-o", "ai_select=perhaps", "--ai-diff"], "bad-select"),
]


@pytest.fixture
def here(project: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    project.put({"main": "a file that is named as the branch is\n"})
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in list(os.environ):
        if name.startswith(("GIT_", "PYTEST_XDIST", "PYTEST_ADDOPTS")):
            monkeypatch.delenv(name)
    root: Path = project.root
    return root


def snapshot(root: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and file.parts[-2] != "__pycache__" and ".git" not in file.parts
    }


@pytest.mark.parametrize(("words", "slug"), TABLE, ids=lambda value: str(value)[:60])
def test_a_bad_request_is_one_line_and_changes_nothing(
    here: Path, pytester: pytest.Pytester, words: list[str], slug: str
) -> None:
    os.chdir(here)
    before = snapshot(here)
    result = pytester.runpytest_inprocess(
        "-p", "pytest_aipipe.plugin", "-p", "no:cacheprovider", *words
    )
    told = [line for line in result.errlines if line.startswith("ERROR")]
    assert result.ret == USAGE
    assert len(told) == 1
    assert re.search(rf"\[{slug}\]$", told[0]), told
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    assert snapshot(here) == before


def test_outside_a_repository_git_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(pytester.path.parent))
    result = pytester.runpytest_inprocess("-p", "pytest_aipipe.plugin", "--ai-diff")
    assert result.ret == USAGE
    assert re.search(r"ERROR: .*\[[a-z-]+\]$", result.stderr.str(), re.MULTILINE)


def test_a_change_that_ends_elsewhere_is_refused(
    here: Path, pytester: pytest.Pytester, project: Any
) -> None:
    project.commit()
    project.git("checkout", "-q", "HEAD~1")
    os.chdir(here)
    result = pytester.runpytest_inprocess("-p", "pytest_aipipe.plugin", "--ai-diff=main~1..main")
    assert result.ret == USAGE
    assert "[head-not-checked-out]" in result.stderr.str()
    assert here.exists()
