"""Chat Completions and Responses behind one Protocol: what is sent, and how it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aipipe_core.llm.model import Reply, Usage
from aipipe_core.llm.problems import cut, garbled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aipipe_core.llm.model import Ask, Shape, Wire


class Chat:
    """``/v1/chat/completions``: what every compatible server has. Streamed where it can be."""

    name = "chat"

    def payload(self, ask: Ask, model: str, shape: Shape) -> dict[str, Any]:
        """See :class:`Wire`."""
        made: dict[str, Any] = {
            "model": model,
            "messages": [{"role": one.role, "content": one.text} for one in ask.messages],
            shape.limit: ask.max_output,
        }
        if shape.stream:
            made |= {"stream": True, "stream_options": {"include_usage": True}}
        if ask.schema is not None and shape.structured == "schema":
            made["response_format"] = {"type": "json_schema", "json_schema": _named(ask)}
        elif ask.schema is not None and shape.structured == "json":
            made["response_format"] = {"type": "json_object"}
        return made

    def send(self, client: Any, payload: dict[str, Any], most: int) -> Reply:
        """See :class:`Wire`."""
        got = client.chat.completions.create(**payload)
        if payload.get("stream"):
            with got:
                return self._streamed(got, most)
        try:
            choice = got.choices[0]
            message = choice.message
        except (AttributeError, IndexError, TypeError) as error:
            raise garbled("chat", f"no choice in it ({error})") from error
        refusal = getattr(message, "refusal", None)
        finish = "refused" if refusal else _finish(choice.finish_reason)
        return Reply(refusal or message.content or "", finish, _usage(got.usage), got.model or "")

    def _streamed(self, chunks: Iterable[Any], most: int) -> Reply:
        text, refusal, length = [], [], 0
        finish = usage = None
        model = ""
        for chunk in chunks:
            usage = _usage(getattr(chunk, "usage", None)) or usage
            model = getattr(chunk, "model", "") or model
            for choice in getattr(chunk, "choices", None) or ():
                delta = choice.delta
                text.append((delta and delta.content) or "")
                refusal.append((delta and getattr(delta, "refusal", None)) or "")
                length += len(text[-1])
                finish = choice.finish_reason or finish
            if length > most:
                return Reply("".join(text), "length", usage, model)
        if finish is None:
            raise cut("chat")
        if "".join(refusal):
            return Reply("".join(refusal), "refused", usage, model)
        return Reply("".join(text), _finish(finish), usage, model)


class Responses:
    """``/v1/responses``: the newer form. Nothing is kept at the provider (``store`` is off)."""

    name = "responses"

    def payload(self, ask: Ask, model: str, shape: Shape) -> dict[str, Any]:
        """See :class:`Wire`."""
        made: dict[str, Any] = {
            "model": model,
            "input": [{"role": one.role, "content": one.text} for one in ask.messages],
            "max_output_tokens": ask.max_output,
            "store": False,
        }
        if ask.schema is not None and shape.structured == "schema":
            made["text"] = {"format": {"type": "json_schema", **_named(ask)}}
        elif ask.schema is not None and shape.structured == "json":
            made["text"] = {"format": {"type": "json_object"}}
        return made

    def send(self, client: Any, payload: dict[str, Any], most: int) -> Reply:
        """See :class:`Wire`."""
        got = client.responses.create(**payload)
        parts = [
            part
            for item in getattr(got, "output", None) or ()
            for part in getattr(item, "content", None) or ()
        ]
        if not hasattr(got, "output"):
            raise garbled("responses", "no output in it")
        if str(getattr(got, "status", "")) == "failed":
            raise garbled("responses", str(getattr(got, "error", "") or "failed"))
        refusal = "".join(getattr(part, "refusal", None) or "" for part in parts)
        text = "".join(getattr(part, "text", None) or "" for part in parts)
        finish = self._finish(got)
        if refusal:
            return Reply(refusal, "refused", _usage(got.usage), got.model or "")
        if len(text) > most:
            finish = "length"
        return Reply(text, finish, _usage(got.usage), got.model or "")

    @staticmethod
    def _finish(got: Any) -> str:
        why = getattr(getattr(got, "incomplete_details", None), "reason", None)
        if why == "content_filter":
            return "refused"
        return "length" if why or got.status == "incomplete" else "stop"


def wire_named(name: str) -> Wire:
    """Return the form called ``chat`` or ``responses``."""
    return Responses() if name == "responses" else Chat()


def _named(ask: Ask) -> dict[str, Any]:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", ask.purpose)
    return {"name": name, "schema": dict(ask.schema or {}), "strict": True}


def _finish(reason: str | None) -> str:
    if reason == "length":
        return "length"
    return "refused" if reason == "content_filter" else "stop"


def _usage(found: Any) -> Usage | None:
    """Return the tokens as either form names them."""
    if found is None:
        return None
    sent = _number(found, "prompt_tokens", "input_tokens")
    came = _number(found, "completion_tokens", "output_tokens")
    details = getattr(found, "prompt_tokens_details", None) or getattr(
        found, "input_tokens_details", None
    )
    return Usage(sent, min(sent, _number(details, "cached_tokens")), came)


def _number(found: Any, *names: str) -> int:
    for name in names:
        value = found.get(name) if isinstance(found, dict) else getattr(found, name, None)
        if isinstance(value, int) and value >= 0:
            return value
    return 0


def reshaped(shape: Shape, said: str) -> Shape | None:
    """Return how to ask instead after a server refused a parameter, or None.

    ``said`` are the server's words.
    """
    from dataclasses import replace

    words = said.lower()
    format_words = ("response_format", "json_schema", "text.format", "json_object", "structured")
    if any(word in words for word in format_words) and shape.structured != "off":
        return replace(shape, structured="json" if shape.structured == "schema" else "off")
    if "max_tokens" in words or "max_completion_tokens" in words:
        other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
        return replace(shape, limit=other[shape.limit])
    if "stream" in words and shape.stream:
        return replace(shape, stream=False)
    return None


def parts_of(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the messages of a payload of either form."""
    return list(payload.get("messages") or payload.get("input") or ())
