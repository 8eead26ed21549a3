"""The client against a real server: what is sent, what is kept, what it costs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aipipe_core.config import load
from aipipe_core.llm import Message, ModelError, client_from
from aipipe_core.llm.ledger import entries_of
from aipipe_core.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aipipe_core.llm import Ask, Client
    from tests.integration.model_server import ModelServer

    MakeClient = Callable[..., Client]

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def test_chat_is_the_default_where_a_base_url_is_set(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    answer = make_client().ask(ask)
    assert server.paths == ["/v1/chat/completions"]
    (sent,) = server.requests
    assert sent["max_tokens"] == 50
    assert [one["role"] for one in sent["messages"]] == ["system", "user"]
    assert (answer.usage.input, answer.usage.cached, answer.usage.output) == (100, 40, 20)


def test_responses_are_asked_for_by_name(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    answer = make_client(model__api="responses").ask(ask)
    assert answer.text == "fine"
    assert server.paths == ["/v1/responses"]
    assert server.requests[0]["store"] is False
    assert (answer.usage.input, answer.usage.cached, answer.usage.output) == (100, 40, 20)


def test_azure_is_asked_at_its_deployment(server: ModelServer, tmp_path: Path, ask: Ask) -> None:
    around = {
        "AZURE_OPENAI_ENDPOINT": server.url.removesuffix("/v1"),
        "AZURE_OPENAI_API_KEY": "azure-key-of-nobody",
        "OPENAI_API_VERSION": "2024-10-21",
    }
    settings = load(tmp_path, environ={}, flags={"model.small": "my-deployment"})
    assert client_from(settings, around, tmp_path).ask(ask).text == "fine"
    assert server.paths == [
        "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21"
    ]
    assert server.headers[0]["api-key"] == "azure-key-of-nobody"
    assert server.requests[0]["max_completion_tokens"] == 50


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_schema_is_held_to_by_the_server(
    server: ModelServer, make_client: MakeClient, ask: Ask, api: str
) -> None:
    server.does(server.says('{"n": 3}'))
    assert make_client(model__api=api).ask(replace(ask, schema=SCHEMA)).data == {"n": 3}
    (sent,) = server.requests
    held = sent["response_format"]["json_schema"] if api == "chat" else sent["text"]["format"]
    assert (held["schema"], held["strict"]) == (SCHEMA, True)


def test_a_server_without_schemas_is_asked_in_words_from_then_on(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    said = "response_format json_schema is not supported"
    server.does(server.fails(400, said), server.fails(400, said), server.says('Here: {"n": 3}'))
    client = make_client()
    assert client.ask(replace(ask, schema=SCHEMA)).data == {"n": 3}
    assert client.ask(replace(ask, schema=SCHEMA)).data == {"n": 3}
    assert len(server.requests) == 4
    assert "response_format" not in server.requests[-1]
    assert "JSON Schema" in server.requests[-1]["messages"][0]["content"]


def test_the_bound_goes_by_the_name_that_the_server_knows(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    server.does(server.fails(400, said), server.says("fine"))
    assert make_client().ask(ask).text == "fine"
    assert server.requests[1]["max_completion_tokens"] == 50


def test_what_was_asked_before_is_answered_from_the_store(
    server: ModelServer, make_client: MakeClient, ask: Ask, tmp_path: Path
) -> None:
    with open_store(tmp_path / "s.db") as store:
        first, second = make_client(store=store), make_client(store=store)
        assert first.ask(ask).source == "model"
        again = second.ask(ask)
        assert (again.text, again.source, again.cost) == ("fine", "store", 0.0)
        second.ask(replace(ask, messages=(*ask.messages, Message("user", "other"))))
        assert len(server.requests) == 2
        assert [one.outcome for one in entries_of(store)] == ["answered", "stored", "answered"]


def test_every_call_is_in_the_ledger_with_its_price(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    client = make_client(model__small_price="2/0.5/8")
    client.ask(ask)
    (entry,) = client.ledger.entries
    assert (entry.purpose, entry.label, entry.tier) == ("tests", "a.py::f", "small")
    assert (entry.input, entry.cached, entry.output) == (100, 40, 20)
    assert entry.cost == pytest.approx((60 * 2 + 40 * 0.5 + 20 * 8) / 1e6)
    assert entry.seconds > 0
    summary = client.ledger.summary()
    assert (summary["calls"], summary["input_tokens"], summary["cached_tokens"]) == (1, 100, 40)


def test_a_cap_on_tokens_stops_the_calls(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    client = make_client(max_tokens="150")
    client.ask(ask)
    with pytest.raises(ModelError) as caught:
        client.ask(replace(ask, label="second"))
    assert (caught.value.slug, caught.value.lasting) == ("model-cap-reached", True)
    assert "--ai-max-tokens" in str(caught.value)
    assert len(server.requests) == 1


def test_a_cap_a_day_counts_what_earlier_runs_took(
    server: ModelServer, make_client: MakeClient, ask: Ask, tmp_path: Path
) -> None:
    with open_store(tmp_path / "s.db") as store:
        make_client(store=store, model__cache=False, max_tokens="/150").ask(ask)
        with pytest.raises(ModelError, match="a day"):
            make_client(store=store, model__cache=False, max_tokens="/150").ask(ask)
    assert len(server.requests) == 1


def test_a_cap_in_money_wants_a_price(
    server: ModelServer, make_client: MakeClient, ask: Ask
) -> None:
    priced = make_client(max_cost="0.000001", model__small_price="2/8")
    with pytest.raises(ModelError, match="--ai-max-cost"):
        priced.ask(ask)
    far = make_client(
        max_cost="1",
        model__small="nobodys-model",
        environ={"OPENAI_BASE_URL": "https://example.org/v1"},
    )
    with pytest.raises(ModelError) as caught:
        far.ask(ask)
    assert caught.value.slug == "model-no-price"
    assert server.requests == []


def test_secrets_do_not_leave(server: ModelServer, make_client: MakeClient, ask: Ask) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2"
    said = Message(
        "user", f"TOKEN = '{token}'\nurl = 'postgres://me:hunter22@db/x'\nmy-own-value-77"
    )
    client = make_client(environ={"DEPLOY_SECRET": "my-own-value-77"})
    client.ask(replace(ask, messages=(ask.messages[0], said), label=token))
    sent = json.dumps(server.requests)
    assert token not in sent
    assert "hunter22" not in sent
    assert "my-own-value-77" not in sent
    assert token not in json.dumps(client.ledger.summary())


def test_an_exchange_is_recorded_and_replayed_without_a_network(
    server: ModelServer, make_client: MakeClient, ask: Ask, tmp_path: Path
) -> None:
    server.does(server.says("first"))
    make_client(model__record="tape").ask(ask)
    (file,) = (tmp_path / "tape").iterdir()
    assert json.loads(file.read_text())["reply"]["text"] == "first"
    server.close()
    replayed = make_client(model__replay="tape")
    assert replayed.ask(ask).text == "first"
    near = replace(ask, messages=(ask.messages[0], Message("user", "Go, after 13 tries")))
    assert replayed.ask(near).text == "first"
    with pytest.raises(ModelError) as caught:
        replayed.ask(replace(near, label="another"))
    assert caught.value.slug == "model-not-recorded"
    assert [one.outcome for one in replayed.ledger.entries] == [
        "replayed", "replayed", "model-not-recorded",
    ]  # fmt: skip


def test_a_preview_holds_exactly_what_would_be_sent(
    server: ModelServer, make_client: MakeClient, ask: Ask, tmp_path: Path
) -> None:
    with pytest.raises(ModelError) as caught:
        make_client(model__preview="would.json").ask(ask)
    assert caught.value.slug == "model-preview"
    assert server.requests == []
    would = json.loads((tmp_path / "would.json").read_text())
    make_client().ask(ask)
    assert would["sent"] == server.requests[0]
    assert would["to"] in server.url
