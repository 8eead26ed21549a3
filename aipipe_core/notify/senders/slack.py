"""Slack: by an incoming webhook, or by its API, whose messages can be edited.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/methods/chat.update
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aipipe_core.notify.deliver import Refused, Result, Retry, Sent
from aipipe_core.notify.event import Severity
from aipipe_core.notify.message import Action, Message
from aipipe_core.notify.senders.http import Endpoint

_EVENT_TYPE = "aipipe_message"
_MOST_TEXT = 35_000
_PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
            "request_timeout", "team_added_to_org"}  # fmt: skip
_LOST = {"message_not_found", "cant_update_message", "edit_window_closed"}
_SIGNS = {
    Severity.PAGE: ":rotating_light:",
    Severity.ERROR: ":red_circle:",
    Severity.WARNING: ":warning:",
    Severity.INFO: ":information_source:",
}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(message: Message) -> str:
    """Return the message as Slack's mrkdwn; nothing of it can mention a person or a channel."""
    over = message.action is Action.RESOLVE
    sign = ":white_check_mark:" if over else _SIGNS[message.severity]
    return f"{sign} *{_escape(message.title)}*\n{_escape(message.text)}"[:_MOST_TEXT]


class SlackWebhook:
    """Posts anew each time; a webhook can neither edit nor be asked what arrived."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self._endpoint = Endpoint(url, timeout)

    def send(self, message: Message, handle: str) -> Result:
        """Post the message."""
        del handle
        response = self._endpoint.call({"text": render(message)})
        if isinstance(response, Retry):
            return response
        busy = response.busy("Slack")
        if busy:
            return busy
        if response.status == 200:  # noqa: PLR2004 - OK
            return Sent()
        return Refused(f"Slack answered {response.status}: {response.body[:80]!r}")

    def arrived(self, message: Message) -> Sent | None:
        """Nobody can tell; a message twice is better than none."""
        del message
        return None


class SlackApi:
    """Posts once for each incident or deploy and edits that message from then on."""

    def __init__(
        self,
        token: str,
        channel: str,
        *,
        url: str = "https://slack.com/api",
        timeout: float = 10.0,
    ) -> None:
        self._endpoint = Endpoint(url, timeout)
        self._channel = channel
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, message: Message, handle: str) -> Result:
        """Post, or edit what ``handle`` (channel/timestamp) names."""
        payload: dict[str, Any] = {
            "channel": self._channel,
            "text": render(message),
            "metadata": {"event_type": _EVENT_TYPE, "event_payload": {"id": message.id}},
        }
        if handle:
            channel, _, stamp = handle.partition("/")
            edit = payload | {"channel": channel, "ts": stamp}
            result = self._call("/chat.update", edit)
            if not (isinstance(result, Refused) and result.why.split(": ")[-1] in _LOST):
                return result
        return self._call("/chat.postMessage", payload)

    def arrived(self, message: Message) -> Sent | None:
        """Look for the message's id in the channel's latest messages."""
        query = urlencode(
            {"channel": self._channel, "include_all_metadata": "true", "limit": "100"}
        )
        response = self._endpoint.call(
            None, path=f"/conversations.history?{query}", method="GET", headers=self._headers
        )
        if isinstance(response, Retry):
            return None
        for found in response.json().get("messages", ()):
            payload = found.get("metadata", {}).get("event_payload", {})
            if payload.get("id") == message.id:
                return Sent(f"{self._channel}/{found['ts']}")
        return None

    def _call(self, path: str, payload: dict[str, Any]) -> Result:
        response = self._endpoint.call(payload, path=path, headers=self._headers)
        if isinstance(response, Retry):
            return response
        busy = response.busy("Slack")
        if busy:
            return busy
        answer = response.json()
        if answer.get("ok") is True:
            return Sent(f"{answer.get('channel', self._channel)}/{answer.get('ts', '')}")
        problem = str(answer.get("error", f"status {response.status}"))
        if problem in _PASSING:
            return Retry(f"Slack: {problem}", response.after)
        return Refused(f"Slack: {problem}")
