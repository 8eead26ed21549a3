"""GitHub and GitLab over a real HTTP server: what is sent, and what an outage costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe.forge import Annotation, State, Status
from aipipe.forge.github import GitHub
from aipipe.forge.gitlab import GitLab
from aipipe.forge.model import MARK, Request, Told
from aipipe.forge.publish import publish

from .forge_server import ForgeServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe.forge.api import Api

SHA, BASE = "a" * 40, "b" * 40
PULL = {
    "base": {"sha": BASE},
    "head": {"sha": SHA, "repo": {"full_name": "ada/engine"}},
    "title": "Carry the one",
    "user": {"login": "ada"},
}
COMMENTS = "/repos/ada/engine/issues/7/comments"
DONE = Status(State.SUCCESS, "low risk")


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with ForgeServer() as running:
        running.on("GET /repos/ada/engine/pulls/7", Reply(value=PULL))
        running.on("GET /repos/ada/engine/pulls/7/files", Reply(value=[{"filename": "a.py"}]))
        running.on(f"GET {COMMENTS}", Reply(value=[]))
        running.on(f"POST {COMMENTS}", Reply(201, {"id": 5, "html_url": "https://x/5"}))
        running.on(f"POST /repos/ada/engine/statuses/{SHA}", Reply(201, {}))
        running.on("POST /repos/ada/engine/check-runs", Reply(201, {"id": 9}))
        running.on("PATCH /repos/ada/engine/check-runs/9", Reply(200, {"id": 9}))
        yield running


def github(server: ForgeServer, timeout: float = 2.0) -> GitHub:
    forge = GitHub.at("secret-token", "ada/engine", 7, SHA, url=server.url, timeout=timeout)
    impatient(forge._api)
    return forge


def impatient(api: Api) -> None:
    api.sleep = lambda seconds: None


def test_a_pull_request_is_read(server: ForgeServer) -> None:
    expected = Request(BASE, SHA, "Carry the one", "ada", fork=False, files=("a.py",))
    assert github(server).request() == expected


def test_a_pull_request_whose_repository_is_gone_is_from_a_fork(server: ForgeServer) -> None:
    gone = {**PULL, "head": {"sha": SHA, "repo": None}}
    server.on("GET /repos/ada/engine/pulls/7", Reply(value=gone))
    request = github(server).request()
    assert isinstance(request, Request)
    assert request.fork


def test_the_first_comment_is_made(server: ForgeServer) -> None:
    told = github(server).comment("hello")
    assert told == Told(done=True, detail="https://x/5")
    (sent,) = server.calls("POST")
    assert sent.body == {"body": f"{MARK}\nhello"}
    assert sent.headers["Authorization"] == "Bearer secret-token"


def test_a_later_run_rewrites_the_comment_even_on_the_second_page(server: ForgeServer) -> None:
    many = [{"id": n, "body": "someone else's"} for n in range(100)]
    ours = [{"id": 444, "body": f"{MARK}\nold"}]
    server.on(f"GET {COMMENTS}", Reply(value=many), Reply(value=ours))
    server.on("PATCH /repos/ada/engine/issues/comments/444", Reply(200, {}))
    assert github(server).comment("new").done
    assert [seen.path for seen in server.calls("PATCH")] == [
        "/repos/ada/engine/issues/comments/444"
    ]
    assert server.calls("POST") == []


def test_annotations_go_fifty_at_a_time(server: ForgeServer) -> None:
    remarks = [Annotation("a.py", n, n, "warning", "t", "m") for n in range(1, 121)]
    assert github(server).annotate(DONE, remarks).done
    sizes = [len(seen.body["output"]["annotations"]) for seen in server.seen]
    assert sizes == [50, 50, 20]
    assert server.seen[0].body["head_sha"] == SHA


def test_more_annotations_than_anybody_reads_are_counted(server: ForgeServer) -> None:
    remarks = [Annotation("a.py", n, n, "warning", "t", "m") for n in range(1, 621)]
    assert github(server).annotate(DONE, remarks).done
    assert "120 more" in server.seen[0].body["output"]["summary"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(401, {"message": "Bad credentials"}), "has expired"),
        (Reply(403, {"message": "Resource not accessible"}), "may not do this"),
        (Reply(404, {"message": "Not Found"}), "not there"),
        (Reply(422, {"message": "Validation Failed"}), "forced push"),
        (Reply(413, {}), "too large"),
        (Reply(302, {}, {"Location": "http://127.0.0.1:1/"}), "302"),
        (Reply(200, raw=b"<html>sign in</html>"), "no JSON"),
        (Reply(200, raw=b"[" * 100_000), "no JSON"),
    ],
)
def test_a_refusal_is_told_in_words_and_not_repeated(
    server: ForgeServer, reply: Reply, words: str
) -> None:
    server.on(f"GET {COMMENTS}", reply)
    told = github(server).comment("hello")
    assert not told.done
    assert words in told.why
    assert "secret-token" not in told.why
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_an_outage_that_ends_is_waited_for(server: ForgeServer, status: int) -> None:
    server.on(f"GET {COMMENTS}", Reply(status, {}, times=2), Reply(value=[]))
    assert github(server).comment("hello").done


def test_an_outage_that_lasts_is_a_sentence(server: ForgeServer) -> None:
    server.on(f"GET {COMMENTS}", Reply(502, raw=b"<html>Bad gateway</html>"))
    told = github(server).comment("hello")
    assert not told.done
    assert "502" in told.why
    assert len(server.seen) == 3


def test_a_limit_that_lasts_for_an_hour_is_not_waited_for(server: ForgeServer) -> None:
    server.on(f"GET {COMMENTS}", Reply(403, {}, {"Retry-After": "3600"}))
    told = github(server).comment("hello")
    assert "limits us" in told.why
    assert len(server.seen) == 1


def test_a_limit_that_is_spent_is_told_as_that_and_not_waited_for(server: ForgeServer) -> None:
    server.on(f"GET {COMMENTS}", Reply(403, {}, {"X-RateLimit-Remaining": "0"}))
    assert github(server).comment("hello").why == "GitHub limits us"
    assert len(server.seen) == 1


def test_a_page_of_long_comments_is_read_whole(server: ForgeServer) -> None:
    long = [{"id": n, "body": "x" * 65_000} for n in range(99)]
    server.on(f"GET {COMMENTS}", Reply(value=[*long, {"id": 444, "body": f"{MARK}\nold"}]))
    server.on("PATCH /repos/ada/engine/issues/comments/444", Reply(200, {}))
    assert github(server, timeout=60.0).comment("new").done
    assert server.calls("POST") == []


def test_an_answer_without_an_end_is_a_sentence(
    server: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aipipe.forge.api._MOST_BYTES", 1_000)
    server.on(f"GET {COMMENTS}", Reply(raw=b"[" + b" " * 5_000 + b"]"))
    assert github(server).comment("hello").why == "GitHub answered more than is read"


def test_a_token_that_http_cannot_carry_is_a_sentence_without_it(server: ForgeServer) -> None:
    forge = GitHub.at("secret\ntoken", "ada/engine", 7, SHA, url=server.url, timeout=2.0)
    impatient(forge._api)
    told = forge.comment("hello")
    assert "wrong character" in told.why
    assert "secret" not in told.why


def test_a_token_that_was_pasted_with_its_line_break_works(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    said = publish(run, environment(tmp_path, server, GITHUB_TOKEN="secret-token\n"))
    assert said == ["The comment is up to date.", "The commit is marked."]
    assert {seen.headers["Authorization"] for seen in server.seen} == {"Bearer secret-token"}


def test_a_first_comment_is_never_sent_twice(server: ForgeServer) -> None:
    server.on(f"POST {COMMENTS}", Reply(502, {}))
    assert not github(server).comment("hello").done
    assert len(server.calls("POST")) == 1


def test_a_forge_that_cannot_be_reached_is_a_sentence() -> None:
    forge = GitHub.at("t", "ada/engine", 7, SHA, url="http://127.0.0.1:1", timeout=0.5)
    impatient(forge._api)
    told = forge.comment("hello")
    assert not told.done
    assert "cannot be reached" in told.why


def test_gitlab_writes_one_note_and_rewrites_it(server: ForgeServer) -> None:
    notes = "/projects/ada%2Fengine/merge_requests/7/notes"
    forge = GitLab.at("t", "ada/engine", 7, SHA, url=server.url)
    server.on(f"GET {notes}", Reply(value=[]))
    server.on(f"POST {notes}", Reply(201, {"id": 3}))
    assert forge.comment("hello").done
    server.on(f"GET {notes}", Reply(value=[{"id": 3, "body": f"{MARK}\nhello"}]))
    server.on(f"PUT {notes}/3", Reply(200, {"id": 3}))
    assert forge.comment("again").done
    assert server.calls("PUT")[0].body == {"body": f"{MARK}\nagain"}
    assert server.seen[0].headers["PRIVATE-TOKEN"] == "t"


def test_gitlab_reads_a_merge_request_of_a_fork(server: ForgeServer) -> None:
    place = "/projects/1/merge_requests/7"
    server.on(
        f"GET {place}",
        Reply(
            value={
                "diff_refs": {"base_sha": BASE, "head_sha": SHA},
                "title": "x",
                "author": {"username": "ada"},
                "source_project_id": 2,
                "target_project_id": 1,
            }
        ),
    )
    server.on(f"GET {place}/diffs", Reply(value=[{"new_path": "é.py"}]))
    request = GitLab.at("t", "1", 7, SHA, url=server.url).request()
    assert request == Request(BASE, SHA, "x", "ada", fork=True, files=("é.py",))


def test_gitlab_marks_the_commit(server: ForgeServer) -> None:
    server.on(f"POST /projects/1/statuses/{SHA}", Reply(201, {}))
    forge = GitLab.at("t", "1", 7, SHA, url=server.url)
    assert forge.annotate(Status(State.FAILURE, "x" * 300), []).done
    body = server.seen[0].body
    assert (body["state"], len(body["description"])) == ("failed", 255)


# -- publish ---------------------------------------------------------------------------------

RISK = {
    "schema": 1,
    "base": BASE,
    "head": SHA,
    "kinds": ["code"],
    "risk": {
        "probability": 0.12,
        "level": "low",
        "reasons": [{"feature": "lines", "value": 3, "effect": -0.4, "text": "three lines"}],
    },
    "route": {
        "tests": "impacted",
        "build": "cached",
        "strategy": "rolling",
        "watch_seconds": 600,
    },
}


COUNTS = {"total": 4, "before": 1, "after": 3}
TESTS: dict[str, Any] = {
    "schema": 1,
    "base": BASE,
    "head": SHA,
    "change": {"files": [{"path": "a.py", "kind": "code", "changed_lines": [3]}]},
    "selection": {"collected": 2, "selected": 1, "reasons": {}},
    "coverage": {"lines": COUNTS, "branches": COUNTS, "files": {}},
    "tests": [],
    "gaps": [],
    "behavior": [{"symbol": "a.f", "input": "f(2)", "base": "4", "head": "5", "test": ""}],
    "flaky": [],
    "llm": {
        "calls": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cached_tokens": 0,
        "cost_usd": 0.0,
    },
    "timing": {},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "risk.json").write_text(json.dumps(RISK))
    return tmp_path / "run"


def environment(tmp_path: Path, server: ForgeServer, **more: str) -> dict[str, str]:
    event: dict[str, Any] = {"pull_request": {"number": 7, **PULL}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "ada/engine",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_API_URL": server.url,
        "GITHUB_TOKEN": "secret-token",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        **more,
    }


def test_a_run_is_told_to_the_pull_request_and_to_later_jobs(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    said = publish(run, environment(tmp_path, server))
    assert said == ["The comment is up to date.", "The commit is marked."]
    assert "risk_level=low\n" in (tmp_path / "output").read_text()
    assert "three lines" in (tmp_path / "summary").read_text()
    comment = server.calls("POST")[0].body["body"]
    assert comment.startswith(MARK)
    assert "Risk: low" in comment


def test_behaviour_changes_and_gaps_are_told(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    gap = {
        "path": "a.py",
        "symbol": "f",
        "lines": [3, 4],
        "why": "A guard. Tried: 3.",
        "suggestion": "y",
    }
    (run / "tests.json").write_text(json.dumps({**TESTS, "gaps": [gap]}))
    publish(run, environment(tmp_path, server))
    comment, check = (seen.body for seen in server.calls("POST"))
    assert "What behaves otherwise now" in comment["body"]
    assert check["output"]["annotations"] == [
        {
            "path": "a.py",
            "start_line": 3,
            "end_line": 4,
            "annotation_level": "warning",
            "title": "untested-change",
            "message": "Changed lines of f run in no test: A guard. Tried: 3.\ny",
        }
    ]
    assert "behavior_changes=1\n" in (tmp_path / "output").read_text()


def test_a_fork_without_a_token_gets_the_report_alone(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    fork = {**PULL, "head": {"sha": SHA, "repo": {"full_name": "eve/engine"}}}
    environ = environment(tmp_path, server)
    del environ["GITHUB_TOKEN"]
    Path(environ["GITHUB_EVENT_PATH"]).write_text(json.dumps({"pull_request": fork}))
    (sentence,) = publish(run, environ)
    assert "fork" in sentence
    assert server.seen == []
    assert "risk_level=low\n" in (tmp_path / "output").read_text()


def test_a_branch_that_moved_meanwhile_is_not_commented_on(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    moved = {**PULL, "head": {"sha": "c" * 40, "repo": {"full_name": "ada/engine"}}}
    server.on("GET /repos/ada/engine/pulls/7", Reply(value=moved))
    (sentence,) = publish(run, environment(tmp_path, server))
    assert "moved" in sentence
    assert server.calls("POST") == []


def test_where_checks_are_not_allowed_the_status_is_set(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    server.on("POST /repos/ada/engine/check-runs", Reply(403, {}))
    said = publish(run, environment(tmp_path, server))
    assert "a commit status instead" in said[1]
    assert said[2] == "The commit is marked."


def test_a_forge_full_of_failures_does_not_fail_the_run(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    for replies in server.routes.values():
        replies[:] = [Reply(401, {})]
    said = publish(run, environment(tmp_path, server))
    assert [sentence.split(":")[0] for sentence in said] == [
        "No comment",
        "No check run",
        "No status",
    ]


def test_a_comment_over_the_limit_is_cut_and_says_so(
    tmp_path: Path, server: ForgeServer, run: Path
) -> None:
    gap = {"path": "a.py", "symbol": "f", "lines": [3], "why": "x" * 9_000, "suggestion": "y"}
    (run / "tests.json").write_text(json.dumps({**TESTS, "gaps": [gap] * 100}))
    publish(run, environment(tmp_path, server))
    comment = server.calls("POST")[0].body["body"]
    assert len(comment) <= 65_536
    assert "65,336 characters" in comment


def test_outside_of_any_forge_nothing_is_sent(run: Path) -> None:
    assert publish(run, {}) == ["Nothing was sent: this is neither GitHub Actions nor GitLab CI."]
