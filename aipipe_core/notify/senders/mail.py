"""E-mail over SMTP: one thread for each incident."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from aipipe_core.notify.deliver import Refused, Result, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_core.notify.message import Message

_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Relay:
    """The server that takes our mail; ``starttls`` is refused to be done without when set."""

    host: str
    port: int = 587
    user: str = ""
    password: str = ""
    starttls: bool = True
    timeout: float = 15.0

    def __repr__(self) -> str:
        return f"Relay({self.host}:{self.port})"


class Mail:
    """Sends plain text to ``to``. The message id is the same for the same message."""

    def __init__(self, relay: Relay, *, sender: str, to: Sequence[str]) -> None:
        self._relay = relay
        self._sender = sender
        self._to = list(to)

    def send(self, message: Message, handle: str) -> Result:
        """Hand the mail to the relay; ``handle`` is the id of the thread's first mail."""
        mail = self.compose(message, handle)
        try:
            with self._connect() as smtp:
                refused = smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            return _judge(min(codes, default=_PERMANENT), "no recipient was taken")
        except smtplib.SMTPResponseException as error:
            return _judge(error.smtp_code, f"the relay answered {error.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Retry(f"{self._relay.host} cannot be used: {type(error).__name__}")
        if refused:
            # Others have it; sending again would reach them twice.
            return Sent(handle or str(mail["Message-ID"]))
        return Sent(handle or str(mail["Message-ID"]))

    def arrived(self, message: Message) -> Sent | None:
        """Nobody can tell; mailboxes drop a second mail with the same id."""
        del message
        return None

    def compose(self, message: Message, thread: str) -> EmailMessage:
        """Build the mail; a line break in a title cannot add a header."""
        domain = self._sender.rpartition("@")[2].rstrip(">") or "localhost"
        name = hashlib.sha256(message.id.encode()).hexdigest()[:32]
        mail = EmailMessage()
        mail["Subject"] = " ".join(message.title.split())[:200]
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Date"] = format_datetime(datetime.fromtimestamp(message.at, UTC))
        mail["Message-ID"] = f"<{name}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        if thread:
            mail["In-Reply-To"] = thread
            mail["References"] = thread
        mail.set_content(message.text or message.title)
        return mail

    def _connect(self) -> smtplib.SMTP:
        relay = self._relay
        smtp = smtplib.SMTP(relay.host, relay.port, timeout=relay.timeout)
        try:
            if relay.starttls:
                smtp.starttls(context=ssl.create_default_context())
            if relay.user:
                smtp.login(relay.user, relay.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def _judge(code: int, why: str) -> Result:
    return Refused(why) if code >= _PERMANENT else Retry(why)
