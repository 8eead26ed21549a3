"""The aipipe command on real repositories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from aipipe.cli import main
from aipipe_core.change import read_change
from aipipe_core.change.document import as_document

if TYPE_CHECKING:
    from tests.integration.conftest import Project

SCHEMAS = Path(__file__).parents[3] / "aipipe_core" / "documents" / "schemas"


def schema(name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return content


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("AIPIPE_BUDGET", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    project.commit("start", a="x = 1\n")
    monkeypatch.chdir(project.root)
    return project


def test_analyze_tells_in_words_and_in_json(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("auth/login.py", "def f():\n    return 1\n")
    assert main(["analyze", "--json", "risk.json"]) == 0
    words = capsys.readouterr().out
    answer = json.loads((here.root / "risk.json").read_text(encoding="utf-8"))
    jsonschema.validate(answer, schema("risk.schema.json"))
    assert answer["kinds"] == ["authentication", "code"]
    assert answer["head"] == "worktree"
    assert answer["risk"]["level"] in words
    assert "touches authentication or permissions" in words


def test_analyze_prints_json_alone_where_the_file_is_a_dash(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", "HEAD^..HEAD", "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, schema("risk.schema.json"))
    assert answer["route"]["tests"] in ("impacted", "full")


def test_history_makes_reasons(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(6):
        here.commit(f"Fix bug {n}", a=f"x = {n + 2}\n")
    here.write("a.py", "x = 99\n")
    assert main(["analyze"]) == 0
    out = capsys.readouterr().out
    assert "7 commits to these files in the 90 days before" in out
    assert "6 past fixes in these files" in out


def test_documentation_alone_skips_tests_and_build(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("README.md", "hello\n")
    assert main(["analyze"]) == 0
    assert "tests skip, build skip, rolling release" in capsys.readouterr().out


def test_nothing_changed_is_a_calm_answer(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze"]) == 0
    assert "nothing changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["analyze", "nope"], 2, "[unknown-revision]"),
        (["analyze", "a..b..c"], 2, "[bad-spec]"),
        (["analyze", "--default-branch", "nope"], 2, "[unknown-default-branch]"),
        (["analyze", "--json", "missing/folder/x.json"], 2, "[cannot-write]"),
        (["analyze", "--json", "."], 2, "[cannot-write]"),
        (["analyze", "--nope"], 2, "unrecognized arguments"),
        (["analyze", "a", "b"], 2, "unrecognized arguments"),
        (["nope"], 2, "invalid choice"),
        ([], 2, "required"),
    ],
)
def test_a_wrong_request_is_told_and_leaves_nothing(
    here: Project, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, said: str
) -> None:
    before = sorted(here.root.rglob("*"))
    assert main(argv) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert sorted(here.root.rglob("*")) == before
    assert "Risk" not in out or "cannot-write" in err


def test_a_wrong_setting_stops_analyze(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    here.write("aipipe.toml", "buget = 3\n")
    assert main(["analyze"]) == 2
    assert "Did you mean 'budget'?" in capsys.readouterr().err


def test_outside_a_repository_analyze_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["analyze"]) == 2
    assert "[not-a-repository]" in capsys.readouterr().err


def test_the_doctor_finds_what_is_here(
    here: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.write("aipipe.toml", "flaky_reruns = 3\n[store]\nurl = 'postgresql://u:pw@h/d'\n")
    monkeypatch.setenv("AIPIPE_BUDGET", "5")
    assert main(["doctor", "--json", "doctor.json"]) == 0
    out = capsys.readouterr().out
    findings = json.loads((here.root / "doctor.json").read_text())["findings"]
    states = {finding["name"]: finding["state"] for finding in findings}
    for name in ("python", "pytest", "coverage", "git", "repository", "history", "store"):
        assert states[name] == "good", out
    assert {"sandbox", "docker", "model"} <= set(states)
    assert "3 from file aipipe.toml" in out
    assert "5.0 from environment AIPIPE_BUDGET" in out
    assert "pw" not in out
    for finding in findings:
        assert finding["state"] == "good" or finding["advice"], finding


def test_the_doctor_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aipipe.toml").write_text("sandbox = 'none'\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor"]) == 3
    out = capsys.readouterr().out
    assert "NO  git" in out
    assert "apt-get install git" in out
    assert "NO  settings" in out
    assert "to mend before anything works" in out


def test_the_doctor_sees_a_shallow_clone(
    here: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here.commit("second")
    here.git("clone", "-q", "--depth=1", f"file://{here.root}", str(tmp_path / "copy"))
    monkeypatch.chdir(tmp_path / "copy")
    assert main(["doctor"]) == 0
    assert "git fetch --unshallow origin" in capsys.readouterr().out


def test_the_document_of_a_change_answers_its_published_schema(here: Project) -> None:
    body = "".join(f"v{n} = {n}\n" for n in range(40))
    here.commit(old=body, gone="x = 1\n")
    here.git("mv", "old.py", "new.py")
    here.git("rm", "-q", "gone.py")
    here.write("new.py", body.replace("v1 = 1", "def f():\n    return 1\n"))
    here.write("broken.py", "def (\n")
    here.write("p.bin", b"\0\1")
    made = as_document(read_change(here.root, None))
    shape = schema("change.schema.json")
    jsonschema.Draft202012Validator.check_schema(shape)
    jsonschema.validate(made, shape)
    files = {file["path"]: file for file in made["files"]}
    assert files["new.py"]["old_path"] == "old.py"
    assert next(symbol["qualname"] for symbol in files["new.py"]["symbols"]) == "f"
    assert files["gone.py"]["removed_lines"] == [1]
    assert files["broken.py"]["error"]
    assert files["p.bin"]["binary"]
    jsonschema.validate(as_document(read_change(here.root, "staged")), shape)
