"""The command without an engine: record, predict, decide, and its errors."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from aipipe_build.cli import main

DOCKERFILE = "FROM base:1\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\nCOPY . /app\nRUN echo done\n"


class Project:
    """A context with a record beside it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        # As after a real edit: the file's times differ from those of the last build.
        later = time.time_ns() - 10**9
        os.utime(path, ns=(later, later))
        return path

    def run(self, *words: str) -> tuple[int, dict[str, Any], str]:
        code = main([*words, "--context", str(self.root), "--json"])
        out, err = self.capsys.readouterr()
        return code, json.loads(out) if out else {}, err

    def verdicts(self, *words: str) -> list[str]:
        code, document, err = self.run("predict", *words)
        assert code == 0, err
        return [step["verdict"] for step in document["steps"]]


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    made = Project(tmp_path / "context", capsys)
    made.write("Dockerfile", DOCKERFILE)
    made.write("requirements.txt", "a==1\n")
    made.write("app.py", "x = 1\n")
    return made


def test_what_was_recorded_hits_and_nothing_else_does(project: Project) -> None:
    assert project.verdicts() == ["miss"] * 4
    assert project.run("record")[0] == 0
    assert project.verdicts() == ["hit"] * 4
    project.write("app.py", "x = 22\n")
    assert project.verdicts() == ["hit", "hit", "miss", "miss"]
    project.write("requirements.txt", "a==10\n")
    assert project.verdicts() == ["miss"] * 4


def test_the_document_is_the_contracts(project: Project) -> None:
    project.run("record")
    project.write("app.py", "x = 22\n")
    _, document, _ = project.run("predict")
    assert document["schema"] == 1
    assert document["decision"] == "cached"
    assert document["saves_seconds"] == 0.0
    assert document["steps"][2] == {
        "stage": "",
        "line": 4,
        "instruction": "COPY . /app",
        "verdict": "miss",
        "cause": "app.py changed",
    }


@pytest.mark.parametrize(
    ("edit", "decision"),
    [
        ({}, "skip"),
        ({"Dockerfile.dockerignore": "Dockerfile*\n"}, "cached"),
        ({"app.py": "x = 22\n"}, "cached"),
        ({"requirements.txt": "a==10\n", "Dockerfile": "FROM base:1\n" + DOCKERFILE}, "unknown"),
    ],
)
def test_the_decision_follows_from_the_steps(
    project: Project, edit: dict[str, str], decision: str
) -> None:
    if decision == "unknown":
        edit = {"Dockerfile": DOCKERFILE.replace("base:1", "base:2")}
    project.run("record")
    for name, text in edit.items():
        project.write(name, text)
    assert project.run("decide")[1]["decision"] == decision


def test_dependencies_are_told_from_everything(project: Project) -> None:
    project.write("Dockerfile", DOCKERFILE.replace("COPY req", "WORKDIR /w\nCOPY req"))
    project.run("record")
    project.write("requirements.txt", "a==10\n")
    assert project.run("decide")[1]["decision"] == "dependencies"
    assert project.run("decide", "--no-cache")[1]["decision"] in ("full", "dependencies")


def test_a_label_changes_the_image_but_runs_nothing(project: Project) -> None:
    project.run("record")
    assert project.run("decide", "--label", "a=b")[1]["decision"] == "cached"
    assert project.run("decide", "-t", "name:1")[1]["decision"] == "skip"


def test_a_base_image_that_nobody_can_look_at_is_unknown(project: Project) -> None:
    project.run("record")
    project.write("Dockerfile", DOCKERFILE.replace("base:1", "base:2"))
    assert project.verdicts() == ["unknown"] * 2 + ["miss"] * 2


def test_a_digest_says_what_a_base_image_holds(project: Project) -> None:
    pinned = DOCKERFILE.replace("base:1", "base@sha256:" + "1" * 64)
    project.write("Dockerfile", pinned)
    project.run("record")
    project.write("Dockerfile", pinned.replace("1" * 64, "2" * 64))
    assert project.verdicts() == ["miss"] * 4


def test_an_unknown_syntax_is_never_guessed_at(project: Project) -> None:
    project.run("record")
    project.write("Dockerfile", "# syntax=someone/else:1\n" + DOCKERFILE)
    assert project.verdicts() == ["unknown"] * 4
    assert project.run("decide")[1]["decision"] == "unknown"


def test_builders_have_records_of_their_own(project: Project) -> None:
    project.run("record", "--builder", "one")
    assert project.verdicts("--builder", "one") == ["hit"] * 4
    assert project.verdicts("--builder", "two") == ["miss"] * 4


def test_a_copy_from_a_changed_stage_depends_on_what_it_makes(project: Project) -> None:
    text = "FROM base:1 AS a\nCOPY app.py /\nRUN make\nFROM base:1\nCOPY --from=a /o /o\nRUN x\n"
    project.write("Dockerfile", text)
    project.run("record")
    project.write("app.py", "x = 22\n")
    assert project.verdicts() == ["miss", "miss", "depends", "depends"]


def test_a_linked_copy_is_unknown_while_nobody_knows_the_builder(project: Project) -> None:
    project.write("Dockerfile", "FROM base:1\nRUN one\nCOPY --link app.py /\nRUN two\n")
    project.run("record")
    assert project.verdicts() == ["hit"] * 3
    project.write("Dockerfile", "FROM base:1\nRUN other\nCOPY --link app.py /\nRUN two\n")
    assert project.verdicts() == ["miss", "unknown", "miss"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda p: p.write("new.py", "n"), "new.py was added"),
        (lambda p: (p.root / "app.py").unlink(), "app.py was removed"),
        (lambda p: (p.root / "app.py").chmod(0o755), "the mode of app.py changed"),
    ],
)
def test_the_cause_names_the_file(project: Project, change: Any, cause: str) -> None:
    (project.root / "app.py").chmod(0o644)
    project.run("record")
    change(project)
    _, document, _ = project.run("predict")
    assert cause in document["steps"][2]["cause"]


def test_the_edit_of_a_manifest_is_read_for_its_meaning(project: Project) -> None:
    project.run("record")
    project.write("requirements.txt", "# why\na==1\n")
    assert "no dependency did" in project.run("predict")[1]["steps"][0]["cause"]
    project.write("requirements.txt", "a==10\n")
    assert "(dependencies did)" in project.run("predict")[1]["steps"][0]["cause"]


def test_the_cause_names_the_variable(project: Project) -> None:
    project.write("Dockerfile", "FROM base:1\nARG V=1\nRUN echo\n")
    project.run("record")
    _, document, _ = project.run("predict", "--build-arg", "V=2")
    assert document["steps"][0]["cause"] == "the variable V has another value"


def test_content_behind_an_equal_stat_hits_with_a_warning(project: Project) -> None:
    path = project.write("app.py", "x = 1\n")
    before = path.stat()
    project.run("record")
    path.write_text("x = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    _, document, _ = project.run("predict")
    assert [step["verdict"] for step in document["steps"]] == ["hit"] * 4
    assert "app.py" in document["warnings"][0]


def test_a_record_inside_the_context_does_not_change_the_build(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    project.run("record")
    assert not (project.root / ".aipipe").exists()
    assert project.verdicts() == ["hit"] * 4


def test_the_record_lies_in_the_working_folder(project: Project) -> None:
    project.run("record")
    assert (Path.cwd() / ".aipipe" / "build" / "default.json").is_file()


def test_a_damaged_record_counts_as_none(project: Project) -> None:
    project.run("record")
    (Path.cwd() / ".aipipe" / "build" / "default.json").write_text("{")
    assert project.verdicts() == ["miss"] * 4


def test_values_of_variables_are_not_kept(project: Project) -> None:
    project.write("Dockerfile", "FROM base:1\nARG TOKEN\nRUN echo\n")
    project.run("record", "--build-arg", "TOKEN=very-secret-value")
    for path in (Path.cwd() / ".aipipe").rglob("*.json"):
        assert "very-secret-value" not in path.read_text()


@pytest.mark.parametrize(
    ("dockerfile", "words", "slug"),
    [
        ("FROM a\nNOPE\n", [], "dockerfile-malformed"),
        ("FROM a\nCOPY missing /\n", [], "copy-source-missing"),
        ("FROM a AS x\nCOPY --from=y /a /\nFROM a AS y\nCOPY --from=x /a /\n", [], "circular"),
        ("FROM a AS x\nCOPY --from=x /a /\n", [], "circular"),
        ("FROM a\n", ["--target", "nope"], "target-unknown"),
        ("FROM a\n", ["--file", "nowhere"], "dockerfile-missing"),
        ("FROM a\n", ["--tagg", "x"], "Did you mean --tag"),
        ("FROM $nope\n", [], "should not be blank"),
        ("FROM a\n", ["--platform", "linux/amd64,linux/arm64"], "platform-several"),
    ],
)
def test_a_wrong_request_is_told_and_nothing_is_recorded(
    project: Project, dockerfile: str, words: list[str], slug: str
) -> None:
    project.write("Dockerfile", dockerfile)
    code, document, err = project.run("record", *words)
    assert (code, document) == (2, {})
    assert slug in err
    assert not (Path.cwd() / ".aipipe" / "build" / "default.json").exists()


def test_sockets_pipes_and_loops_in_the_context_do_no_harm(project: Project) -> None:
    os.mkfifo(project.root / "pipe")
    (project.root / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(project.root)
        server.bind("socket")
        os.chdir(here)
        assert project.run("record")[0] == 0
        assert project.verdicts() == ["hit"] * 4


def test_a_loop_that_is_copied_is_an_error(project: Project) -> None:
    (project.root / "loop").symlink_to("loop")
    project.write("Dockerfile", "FROM a\nCOPY loop /\n")
    code, _, err = project.run("predict")
    assert code == 2
    assert "context-link-loop" in err


def test_docker_builds_own_options_are_taken_as_they_are(project: Project) -> None:
    words = [
        "--pull",
        "--progress=plain",
        "-q",
        "--secret",
        "id=a",
        "--ssh",
        "default",
        "--cache-from",
        "x",
        "-o",
        "type=tar",
    ]
    project.run("record", *words)
    assert project.verdicts("--provenance=false", "--load", "-t", "a:b") == ["hit"] * 4
    assert project.verdicts("--no-cache=false") == ["hit"] * 4
    assert project.verdicts("--no-cache") == ["miss"] * 4


def test_a_decision_says_what_an_edited_manifest_means(project: Project) -> None:
    project.write("Dockerfile", DOCKERFILE.replace("COPY req", "WORKDIR /w\nCOPY req"))
    project.run("record")
    project.write("requirements.txt", "# why\na==1\n")
    _, document, _ = project.run("decide")
    assert document["decision"] == "dependencies"
    assert document["reason"] == (
        "line 4 installs again, because of line 3: requirements.txt changed "
        "(no dependency did: comments, order or layout)"
    )


def progress(**seconds: float) -> str:
    """Return what --progress=rawjson prints for steps that took so long."""
    rows = [
        {
            "digest": text,
            "name": f"[2/5] {text.replace('_', ' ')}",
            "started": "2026-01-01T00:00:00.000Z",
            "completed": f"2026-01-01T00:00:{value:06.3f}Z",
        }
        for text, value in seconds.items()
    ]
    return json.dumps({"vertexes": rows})


def test_what_a_decision_saves_is_learned_from_the_seconds_of_each_step(
    project: Project, tmp_path: Path
) -> None:
    timings = tmp_path / "timings.json"
    timings.write_text(progress(RUN_echo_done=4.0))
    project.run("record", "--timings", str(timings))
    assert project.run("decide")[1]["saves_seconds"] == 4.0
    project.write("app.py", "x = 22\n")
    assert project.run("decide")[1]["saves_seconds"] == 0.0
    timings.write_text(progress(RUN_echo_done=2.0))
    project.run("record", "--timings", str(timings))
    assert project.run("decide")[1]["saves_seconds"] == 2.0


def test_a_cached_step_keeps_the_seconds_of_when_it_ran(project: Project, tmp_path: Path) -> None:
    timings = tmp_path / "timings.json"
    timings.write_text(progress(RUN_echo_done=4.0))
    project.run("record", "--timings", str(timings))
    project.run("record")
    assert project.run("decide")[1]["saves_seconds"] == 4.0


def test_limits_count_by_name_and_value(project: Project) -> None:
    project.run("record", "--ulimit=nofile=64:64", "--ulimit=nproc=9")
    assert project.verdicts("--ulimit=nproc=9:9", "--ulimit=nofile=64") == ["hit"] * 4
    assert project.verdicts("--ulimit=nproc=9:10", "--ulimit=nofile=64")[1] == "miss"


def test_the_epoch_of_the_environment_is_an_argument(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("Dockerfile", "FROM base:1\nARG SOURCE_DATE_EPOCH\nRUN echo\n")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    project.run("record")
    assert project.verdicts() == ["hit"]
    assert project.verdicts("--build-arg=SOURCE_DATE_EPOCH=1") == ["hit"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "2")
    assert project.verdicts() == ["miss"]
