"""All other services, through the ``apprise`` package where it is installed."""

from __future__ import annotations

import importlib
from typing import Any

from aipipe_core.errors import SurroundingsError
from aipipe_core.notify.deliver import Result, Retry, Sent
from aipipe_core.notify.event import Severity
from aipipe_core.notify.message import Action, Message


class Apprise:
    """Sends through one of Apprise's URLs.

    Raises :class:`SurroundingsError` (``notify-apprise``) without the package or for a URL
    that it does not know.
    """

    def __init__(self, url: str) -> None:
        try:
            library: Any = importlib.import_module("apprise")
        except ImportError as error:
            raise SurroundingsError(
                "notify-apprise",
                "this channel needs the apprise package",
                hint="pip install apprise",
            ) from error
        self._apprise = library.Apprise()
        if not self._apprise.add(url):
            raise SurroundingsError(
                "notify-apprise",
                "apprise does not know this kind of address",
                hint="It is not shown here, because it may be a secret.",
            )

    def send(self, message: Message, handle: str) -> Result:
        """Send; Apprise says only whether it worked."""
        del handle
        kind = "failure" if message.severity >= Severity.ERROR else "warning"
        if message.action is Action.RESOLVE:
            kind = "success"
        try:
            worked = self._apprise.notify(
                title=message.title, body=message.text or message.title, notify_type=kind
            )
        except Exception as error:  # a plugin of strangers may raise anything
            return Retry(f"apprise failed: {type(error).__name__}")
        return Sent() if worked else Retry("apprise could not deliver")

    def arrived(self, message: Message) -> Sent | None:
        """Nobody can tell; a message twice is better than none."""
        del message
        return None
