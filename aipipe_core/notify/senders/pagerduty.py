"""PagerDuty Events v2: the incident's key is its dedup key, so a repeat changes nothing.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

from datetime import UTC, datetime

from aipipe_core.notify.deliver import Refused, Result, Retry, Sent
from aipipe_core.notify.event import Severity
from aipipe_core.notify.message import Action, Message
from aipipe_core.notify.senders.http import Endpoint

_SEVERITIES = {
    Severity.PAGE: "critical",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}
_MOST_KEY = 255
_MOST_SUMMARY = 1024


class PagerDuty:
    """Triggers and resolves incidents of one integration."""

    def __init__(
        self,
        routing_key: str,
        *,
        source: str = "aipipe",
        url: str = "https://events.pagerduty.com",
        timeout: float = 10.0,
    ) -> None:
        self._endpoint = Endpoint(url, timeout)
        self._key = routing_key
        self._source = source

    def send(self, message: Message, handle: str) -> Result:
        """Trigger, or resolve, the incident of the message's key."""
        del handle
        over = message.action is Action.RESOLVE
        event: dict[str, object] = {
            "routing_key": self._key,
            "event_action": "resolve" if over else "trigger",
            "dedup_key": message.key[-_MOST_KEY:],
        }
        if not over:
            event["payload"] = {
                "summary": message.title[:_MOST_SUMMARY],
                "source": self._source,
                "severity": _SEVERITIES[message.severity],
                "timestamp": datetime.fromtimestamp(message.at, UTC).isoformat(),
                "custom_details": {"text": message.text},
            }
        response = self._endpoint.call(event, path="/v2/enqueue")
        if isinstance(response, Retry):
            return response
        busy = response.busy("PagerDuty")
        if busy:
            return busy
        if response.status == 202:  # noqa: PLR2004 - accepted
            return Sent(message.key)
        return Refused(f"PagerDuty answered {response.status}: {response.body[:120]!r}")

    def arrived(self, message: Message) -> Sent | None:
        """No need to know: the dedup key makes a second one harmless."""
        del message
        return None
