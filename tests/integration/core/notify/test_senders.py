"""The senders against real HTTP and SMTP servers on loopback."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_core.notify import Action, Message, Severity
from aipipe_core.notify.deliver import Refused, Retry, Sent
from aipipe_core.notify.senders.apprise import Apprise
from aipipe_core.notify.senders.github import GitHubComment
from aipipe_core.notify.senders.mail import Mail, Relay
from aipipe_core.notify.senders.pagerduty import PagerDuty
from aipipe_core.notify.senders.slack import SlackApi, SlackWebhook

if TYPE_CHECKING:
    from collections.abc import Iterator

Answer = tuple[int, dict[str, str], Any]


def _message(
    action: Action = Action.OPEN, number: int = 1, title: str = "web <is> down"
) -> Message:
    return Message("chat", "alert/web#1", number, action, Severity.PAGE, title, "since now", 1e9)


class Web:
    """An HTTP server that keeps requests and gives prepared answers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: list[Answer] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                record = json.loads(body) if body else None
                web.seen.append((self.command, self.path, dict(self.headers), record))
                status, headers, answer = web.answers.pop(0)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET = do_PATCH = _any  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def web() -> Iterator[Web]:
    found = Web()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@contextmanager
def _silent_server() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_webhook_posts_text_in_which_nothing_can_mention_anybody(web: Web) -> None:
    web.answers = [(200, {}, b"ok")]
    assert SlackWebhook(f"{web.url}/services/T/B/X").send(_message(), "") == Sent()
    method, path, _, body = web.seen[0]
    assert (method, path) == ("POST", "/services/T/B/X")
    assert "web &lt;is&gt; down" in body["text"]


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((429, {"Retry-After": "7"}, b""), Retry("Slack limits us", 7.0)),
        ((429, {"Retry-After": "soon"}, b""), Retry("Slack limits us", 30.0)),
        ((503, {}, b""), Retry("Slack answered 503")),
        ((404, {}, b"no_service"), Refused("Slack answered 404: b'no_service'")),
        ((302, {"Location": "http://elsewhere.invalid/"}, b""), Refused("Slack answered 302: b''")),
    ],
)
def test_a_webhooks_answers_become_retry_or_refusal(
    web: Web, answer: Answer, result: object
) -> None:
    web.answers = [answer]
    assert SlackWebhook(web.url).send(_message(), "") == result


def test_a_receiver_that_hangs_or_is_gone_is_a_retry_that_hides_the_secret() -> None:
    with _silent_server() as port:
        result = SlackWebhook(f"http://127.0.0.1:{port}/secret", timeout=0.1).send(_message(), "")
    assert result == Retry("127.0.0.1 cannot be reached: TimeoutError")
    gone = SlackWebhook(f"http://127.0.0.1:{port}/secret").send(_message(), "")
    assert isinstance(gone, Retry)
    assert "secret" not in gone.why


def test_the_api_posts_once_and_edits_from_then_on(web: Web) -> None:
    web.answers = [(200, {}, {"ok": True, "channel": "C1", "ts": "1.5"})] * 2
    slack = SlackApi("xoxb-1", "#deploys", url=f"{web.url}/api")
    first = slack.send(_message(), "")
    assert first == Sent("C1/1.5")
    assert slack.send(_message(Action.UPDATE, 2), "C1/1.5") == Sent("C1/1.5")
    assert [path for _, path, _, _ in web.seen] == ["/api/chat.postMessage", "/api/chat.update"]
    assert web.seen[1][3]["ts"] == "1.5"
    assert web.seen[0][2]["Authorization"] == "Bearer xoxb-1"


def test_a_message_that_somebody_deleted_is_posted_anew(web: Web) -> None:
    web.answers = [
        (200, {}, {"ok": False, "error": "message_not_found"}),
        (200, {}, {"ok": True, "channel": "C1", "ts": "2.5"}),
    ]
    assert SlackApi("t", "C1", url=web.url).send(_message(), "C1/1.5") == Sent("C1/2.5")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"ok": False, "error": "ratelimited"}, Retry),
        ({"ok": False, "error": "invalid_auth"}, Refused),
        (b"<html>", Refused),
    ],
)
def test_the_apis_errors_become_retry_or_refusal(web: Web, answer: Any, kind: type) -> None:
    web.answers = [(200, {}, answer)]
    assert isinstance(SlackApi("t", "C1", url=web.url).send(_message(), ""), kind)


def test_after_a_crash_the_api_is_asked_whether_the_message_arrived(web: Web) -> None:
    posted = {"ts": "3.5", "metadata": {"event_payload": {"id": "chat/alert/web#1/1"}}}
    web.answers = [(200, {}, {"ok": True, "messages": [{"ts": "4"}, posted]})] * 2
    slack = SlackApi("t", "C1", url=web.url)
    assert slack.arrived(_message()) == Sent("C1/3.5")
    assert slack.arrived(_message(number=2)) is None
    assert "include_all_metadata=true" in web.seen[0][1]


def test_pagerduty_gets_the_same_key_for_trigger_and_resolve(web: Web) -> None:
    web.answers = [(202, {}, {"status": "success"})] * 2
    pager = PagerDuty("R" * 32, url=web.url)
    assert isinstance(pager.send(_message(), ""), Sent)
    assert isinstance(pager.send(_message(Action.RESOLVE, 2), ""), Sent)
    (trigger, resolve) = (body for _, _, _, body in web.seen)
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] == "alert/web#1"
    assert trigger["payload"]["severity"] == "critical"


@pytest.mark.parametrize(("status", "kind"), [(400, Refused), (429, Retry), (500, Retry)])
def test_pagerdutys_errors_become_retry_or_refusal(web: Web, status: int, kind: type) -> None:
    web.answers = [(status, {}, {})]
    assert isinstance(PagerDuty("R", url=web.url).send(_message(), ""), kind)


def test_a_github_comment_is_edited_and_made_anew_when_it_is_gone(web: Web) -> None:
    web.answers = [(201, {}, {"id": 7}), (200, {}, {"id": 7}), (404, {}, {}), (201, {}, {"id": 8})]
    github = GitHubComment("t", "o/r", 12, url=web.url)
    assert github.send(_message(), "") == Sent("7")
    assert github.send(_message(), "7") == Sent("7")
    assert github.send(_message(), "7") == Sent("8")
    assert [(m, p) for m, p, _, _ in web.seen][:2] == [
        ("POST", "/repos/o/r/issues/12/comments"),
        ("PATCH", "/repos/o/r/issues/comments/7"),
    ]


def test_an_address_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(RequestError) as caught:
        SlackWebhook("ftp://hooks.invalid/hunter2")
    assert "hunter2" not in str(caught.value)


class Post(socketserver.ThreadingTCPServer):
    """A small SMTP server that keeps mails and may refuse."""

    daemon_threads = True

    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse
        self.mails: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    server: Post

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode() if line.split() else ""
            if verb == "DATA":
                self._say("354 go on")
                self.server.mails.append(self._data())
            if verb == "QUIT":
                self._say("221 bye")
                return
            refused = verb == "RCPT" and self.server.refuse
            self._say(self.server.refuse if refused else "250 fine")

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def _post(refuse: str = "") -> Iterator[tuple[Post, Mail]]:
    with Post(refuse) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        relay = Relay("127.0.0.1", server.server_address[1], starttls=False, timeout=5.0)
        yield server, Mail(relay, sender="aipipe <ci@example.org>", to=["a@example.org"])
        server.shutdown()
        thread.join()


def test_mails_of_one_incident_are_one_thread_and_titles_add_no_header() -> None:
    with _post() as (server, mail):
        first = mail.send(_message(title="down\r\nBcc: x@evil.invalid"), "")
        assert isinstance(first, Sent)
        assert mail.send(_message(Action.RESOLVE, 2), first.handle) == first
    one, two = (message_from_bytes(data) for data in server.mails)
    assert one["Subject"] == "down Bcc: x@evil.invalid"
    assert one["Bcc"] is None
    assert two["References"] == one["Message-ID"] == first.handle


@pytest.mark.parametrize(("refuse", "kind"), [("451 later", Retry), ("550 unknown", Refused)])
def test_a_relays_refusal_is_for_now_or_for_ever(refuse: str, kind: type) -> None:
    with _post(refuse) as (_, mail):
        assert isinstance(mail.send(_message(), ""), kind)


def test_a_relay_that_hangs_is_a_retry() -> None:
    with _silent_server() as port:
        relay = Relay("127.0.0.1", port, starttls=False, timeout=0.1)
        result = Mail(relay, sender="ci@example.org", to=["a@example.org"]).send(_message(), "")
    assert isinstance(result, Retry)


def test_without_apprise_its_channels_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(SurroundingsError, match="pip install apprise"):
        Apprise("ntfy://topic")
