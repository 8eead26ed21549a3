"""GitLab over a real HTTP server when it refuses, fails, or the branch is gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aipipe.cli import main
from aipipe.doctor import examine
from aipipe.doctor.finding import State
from aipipe.forge import publish as publishing
from aipipe.forge.gitlab import GitLab
from aipipe.forge.model import Told
from aipipe.forge.publish import publish
from aipipe_core.errors import ExitCode

from .forge_server import ForgeServer, Reply
from .test_forge import BASE, DONE, RISK, SHA, TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Project

PLACE = "/projects/1/merge_requests/7"
NOTES = f"{PLACE}/notes"
REQUEST = {
    "diff_refs": {"base_sha": BASE, "head_sha": SHA},
    "source_project_id": 1,
    "target_project_id": 1,
}


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with ForgeServer() as running:
        running.on(f"GET {PLACE}", Reply(value=REQUEST))
        running.on(f"GET {PLACE}/diffs", Reply(value=[]))
        running.on(f"GET {NOTES}", Reply(value=[]))
        running.on(f"POST {NOTES}", Reply(201, {"id": 3}))
        running.on(f"POST /projects/1/statuses/{SHA}", Reply(201, {}))
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "risk.json").write_text(json.dumps(RISK))
    return tmp_path / "run"


def gitlab(server: ForgeServer) -> GitLab:
    forge = GitLab.at("secret-token", "1", 7, SHA, url=server.url, timeout=2.0)
    forge._api.sleep = lambda seconds: None
    return forge


def environment(server: ForgeServer, **more: str) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": SHA,
        "CI_API_V4_URL": server.url,
        "GITLAB_TOKEN": "secret-token",
        **more,
    }


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(401, {"message": "401 Unauthorized"}), "has expired"),
        (Reply(403, {"message": "403 Forbidden"}), "may not do this"),
        (Reply(404, {"message": "404 Not found"}), "not there"),
        (Reply(422, {"message": "Unprocessable"}), "forced push"),
        (Reply(200, raw=b"<html>sign in</html>"), "no JSON"),
        (Reply(200, {"not": "a list"}), "answered no list"),
    ],
)
def test_a_refusal_is_told_in_words_and_not_repeated(
    server: ForgeServer, reply: Reply, words: str
) -> None:
    server.on(f"GET {NOTES}", reply)
    told = gitlab(server).comment("hello")
    assert not told.done
    assert words in told.why
    assert "secret-token" not in told.why
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_an_outage_that_ends_is_waited_for(server: ForgeServer, status: int) -> None:
    server.on(f"GET {NOTES}", Reply(status, {}, times=2), Reply(value=[]))
    assert gitlab(server).comment("hello").done


@pytest.mark.parametrize("status", [403, 422, 429, 502])
def test_a_refused_status_is_a_sentence(server: ForgeServer, status: int) -> None:
    server.on(f"POST /projects/1/statuses/{SHA}", Reply(status, raw=b"\xff garbage"))
    told = gitlab(server).annotate(DONE, [])
    assert not told.done
    assert told.why
    assert len(server.calls("POST")) == 1


def test_an_answer_that_is_no_merge_request_is_said_so(server: ForgeServer) -> None:
    server.on(f"GET {PLACE}", Reply(value={"diff_refs": None}))
    told = gitlab(server).request()
    assert told == Told(done=False, why="GitLab's answer is no merge request")


def test_a_run_is_told_to_the_merge_request(server: ForgeServer, run: Path) -> None:
    said = publish(run, environment(server))
    assert said == ["The comment is up to date.", "The commit is marked."]
    assert "Risk: low" in server.calls("POST")[0].body["body"]


def test_a_branch_that_was_force_pushed_meanwhile_is_not_commented_on(
    server: ForgeServer, run: Path
) -> None:
    moved = {**REQUEST, "diff_refs": {"base_sha": BASE, "head_sha": "c" * 40}}
    server.on(f"GET {PLACE}", Reply(value=moved))
    (sentence,) = publish(run, environment(server))
    assert "moved" in sentence
    assert server.calls("POST") == []


def test_a_pipeline_of_the_merged_result_is_about_the_branch(
    server: ForgeServer, run: Path
) -> None:
    merged = environment(server, CI_COMMIT_SHA="e" * 40, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=SHA)
    said = publish(run, merged)
    assert said == ["The comment is up to date.", "The commit is marked."]


def test_a_fork_without_a_token_gets_the_report_alone(server: ForgeServer, run: Path) -> None:
    environ = environment(server, CI_MERGE_REQUEST_SOURCE_PROJECT_ID="2")
    del environ["GITLAB_TOKEN"]
    (sentence,) = publish(run, environ)
    assert "fork" in sentence
    assert server.seen == []


def test_a_comment_over_the_limit_is_cut_and_says_so(
    server: ForgeServer, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GitLab, "comment_limit", 20_000)
    gap = {"path": "a.py", "symbol": "f", "lines": [3], "why": "x" * 900, "suggestion": "y"}
    (run / "tests.json").write_text(json.dumps({**TESTS, "gaps": [gap] * 100}))
    publish(run, environment(server))
    comment = server.calls("POST")[0].body["body"]
    assert len(comment) <= 20_000
    assert "19,800 characters" in comment


def test_everything_refused_is_three_sentences_and_no_failure(
    server: ForgeServer, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = gitlab(server)
    monkeypatch.setattr(publishing, "forge_for", lambda place: forge)
    for replies in server.routes.values():
        replies[:] = [Reply(502, raw=b"<html>Bad gateway</html>")]
    said = publish(run, environment(server))
    assert [sentence.split(":")[0] for sentence in said] == ["No comment", "No status"]


def test_a_repository_without_a_remote_is_no_failure_anywhere(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.commit(a="x = 1\n")
    monkeypatch.chdir(project.root)
    for variable in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITLAB_CI", "CI_PROJECT_ID"):
        monkeypatch.delenv(variable, raising=False)
    assert main(["init"]) == ExitCode.DONE
    found: dict[str, Any] = {one.name: one for one in examine(project.root, {})}
    assert found["repository"].state is State.GOOD
    runs = project.root / ".aipipe" / "runs" / "ci"
    runs.mkdir(parents=True)
    assert main(["analyze", "--json", str(runs / "risk.json")]) == ExitCode.DONE
    assert main(["publish", str(runs)]) == ExitCode.DONE
    assert "Nothing was sent" in capsys.readouterr().out
