"""Each way in which a model's server can fail, against a real one: a clear error, in time."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.config import load
from aipipe_core.llm import ModelError, client_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aipipe_core.llm import Ask, Client
    from tests.integration.model_server import ModelServer

    MakeClient = Callable[..., Client]

SCHEMA = {
    "type": "object", "required": ["level"], "additionalProperties": False,
    "properties": {"level": {"enum": ["low", "high"]}},
}  # fmt: skip


def slug_of(client: Client, ask: Ask, **how: Any) -> str:
    with pytest.raises(ModelError) as caught:
        client.ask(ask, **how)
    (entry,) = [one for one in client.ledger.entries if one.outcome == caught.value.slug][-1:]
    assert entry.outcome == caught.value.slug
    return caught.value.slug


@pytest.mark.parametrize(
    ("status", "code", "slug", "lasting"),
    [
        (401, "invalid_api_key", "model-key-refused", True),
        (403, None, "model-key-refused", True),
        (404, "model_not_found", "model-unknown", True),
        (429, "rate_limit_exceeded", "model-rate-limited", False),
        (429, "insufficient_quota", "model-quota-spent", True),
        (500, None, "model-server-error", False),
        (503, None, "model-server-error", False),
        (400, None, "model-request-refused", False),
    ],
)
def test_a_status_is_an_error_with_a_slug_of_its_own(
    server: ModelServer, make_client: MakeClient, ask: Ask,
    status: int, code: str | None, slug: str, lasting: bool,
) -> None:  # fmt: skip
    server.does(server.fails(status, "the words of the server", code))
    client = make_client()
    with pytest.raises(ModelError) as caught:
        client.ask(ask)
    assert (caught.value.slug, caught.value.lasting) == (slug, lasting)
    assert [one.outcome for one in client.ledger.entries] == [slug]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(
    server: ModelServer, make_client: MakeClient, ask: Ask, status: int
) -> None:
    server.does(server.fails(status), server.fails(status), server.says("at last"))
    assert make_client(model__retries=2).ask(ask).text == "at last"
    assert len(server.requests) == 3


def test_a_wrong_key_is_not_tried_again(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(server.fails(401))
    assert slug_of(make_client(model__retries=3), ask) == "model-key-refused"
    assert len(server.requests) == 1


def test_without_a_key_nothing_is_sent(tmp_path: Path, ask: Ask) -> None:
    client = client_from(load(tmp_path, environ={}, flags={}), {}, tmp_path)
    assert slug_of(client, ask) == "model-no-key"


def test_without_the_package_it_is_said_how_to_install_it(
    make_client: MakeClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    assert slug_of(make_client(), ask) == "model-not-installed"


def test_a_server_of_ones_own_needs_no_key(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    assert make_client().ask(ask).text == "fine"
    assert server.headers[0]["authorization"] == "Bearer unused"


@pytest.mark.parametrize("act", ["hangs", "dribbles"])
def test_a_server_that_hangs_is_given_up(
    server: ModelServer, make_client: MakeClient, ask: Ask, act: str
) -> None:
    server.does(getattr(server, act))
    assert slug_of(make_client(), ask, seconds=0.3) == "model-timeout"


def test_the_packages_own_timeout_is_set_for_the_call(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(server.hangs)
    assert slug_of(make_client(model__timeout=0.2), ask) == "model-timeout"


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_breaks_off_is_no_answer(
    server: ModelServer, make_client: MakeClient, ask: Ask, stream: bool
) -> None:
    server.does(server.breaks_off)
    assert slug_of(make_client(model__stream=stream), ask) == "model-cut"


def test_a_stream_that_ends_before_its_finish_is_cut(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(lambda h, b: server.put(h, 200, server.chunks("def test_x():", finish=None)))
    assert slug_of(make_client(), ask) == "model-cut"


@pytest.mark.parametrize("stream", [True, False])
def test_a_refusal_is_told_in_the_models_words(
    server: ModelServer, make_client: MakeClient, ask: Ask, stream: bool
) -> None:
    server.does(server.says("", refusal="I would rather not."))
    client = make_client(model__stream=stream)
    with pytest.raises(ModelError, match="I would rather not") as caught:
        client.ask(ask)
    assert caught.value.slug == "model-refused"


def test_a_content_filter_is_a_refusal(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(server.says("so", finish="content_filter"))
    assert slug_of(make_client(), ask) == "model-refused"


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_is_too_long_is_not_used(
    server: ModelServer, make_client: MakeClient, ask: Ask, stream: bool
) -> None:
    server.does(server.says("def test_x():\n    asser", finish="length"))
    assert slug_of(make_client(model__stream=stream), ask) == "model-too-long"


def test_a_server_that_ignores_the_bound_is_not_read_to_its_end(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(server.says("x" * 100_000))
    assert slug_of(make_client(), ask) == "model-too-long"


def test_an_empty_answer_is_none(server: ModelServer, make_client: MakeClient, ask: Ask) -> None:
    server.does(server.says(""))
    assert slug_of(make_client(), ask) == "model-empty"


@pytest.mark.parametrize("body", [b"<html>not json</html>", b'{"object": "list"}', b"[]", b'"x"'])
def test_a_body_that_is_no_completion_is_an_error(
    server: ModelServer, make_client: MakeClient, ask: Ask, body: bytes
) -> None:
    server.does(lambda h, b: server.put(h, 200, body, {"content-type": "application/json"}))
    assert slug_of(make_client(model__stream=False), ask).startswith("model-")
    assert slug_of(make_client(), ask).startswith("model-")


def test_nobody_listens(make_client: MakeClient, ask: Ask) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    client = make_client(environ={"OPENAI_BASE_URL": address})
    assert slug_of(client, ask) == "model-unreachable"


def test_invalid_json_is_repaired_once(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(server.says('{"level": "middling"}'), server.says('```json\n{"level": "low"}\n```'))
    client = make_client()
    answer = client.ask(replace(ask, schema=SCHEMA))
    assert answer.data == {"level": "low"}
    assert [one.outcome for one in client.ledger.entries] == ["answered", "answered"]
    assert "middling" in server.requests[1]["messages"][-1]["content"]


def test_invalid_json_twice_is_an_error(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    server.does(server.says("I think that it is low."))
    with pytest.raises(ModelError) as caught:
        make_client().ask(replace(ask, schema=SCHEMA))
    assert caught.value.slug == "model-not-json"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("why", "slug"), [("max_output_tokens", "model-too-long"), ("content_filter", "model-refused")]
)
def test_an_incomplete_response_is_told_by_its_reason(
    server: ModelServer, make_client: MakeClient, ask: Ask, why: str, slug: str
) -> None:
    server.does(lambda h, b: server.put(h, 200, server.response("de", "incomplete", why)))
    assert slug_of(make_client(model__api="responses"), ask) == slug


def test_a_refusal_in_a_response_is_one(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    part = {"type": "refusal", "refusal": "No."}
    server.does(lambda h, b: server.put(h, 200, server.response("", **part)))
    assert slug_of(make_client(model__api="responses"), ask) == "model-refused"


def test_a_question_that_is_too_long_is_not_sent(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    client = make_client(model__small_context=1000)
    big = replace(ask, messages=(replace(ask.messages[0], text="many words here " * 1000),))
    with pytest.raises(ModelError) as caught:
        client.ask(big)
    assert caught.value.slug == "model-prompt-too-long"
    assert server.requests == []
