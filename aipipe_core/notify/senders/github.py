"""GitHub: one comment for each incident or deploy on an issue or pull request, edited since.

https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.notify.deliver import Refused, Result, Retry, Sent
from aipipe_core.notify.senders.http import Endpoint, Response

if TYPE_CHECKING:
    from aipipe_core.notify.message import Message

_GONE = 404
_FORBIDDEN = 403


class GitHubComment:
    """Comments on ``repository`` (owner/name), issue or pull request ``number``."""

    def __init__(
        self,
        token: str,
        repository: str,
        number: int,
        *,
        url: str = "https://api.github.com",
        timeout: float = 10.0,
    ) -> None:
        self._endpoint = Endpoint(url, timeout)
        self._repository = repository
        self._number = number
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "User-Agent": "aipipe",
        }

    def send(self, message: Message, handle: str) -> Result:
        """Comment, or edit the comment that ``handle`` names."""
        body = {"body": f"**{message.title}**\n\n{message.text}\n\n{_mark(message)}"}
        base = f"/repos/{self._repository}/issues"
        if handle:
            path = f"{base}/comments/{handle}"
            answer = self._endpoint.call(body, path=path, method="PATCH", headers=self._headers)
            if not (isinstance(answer, Response) and answer.status == _GONE):
                return _result(answer)
        path = f"{base}/{self._number}/comments"
        return _result(self._endpoint.call(body, path=path, headers=self._headers))

    def arrived(self, message: Message) -> Sent | None:
        """Nobody asks: an edit may be done twice, a first comment twice is the lesser harm."""
        del message
        return None


def _mark(message: Message) -> str:
    return f"<!-- aipipe {message.key.replace('--', '-')} -->"


def _result(answer: Response | Retry) -> Result:
    if isinstance(answer, Retry):
        return answer
    busy = answer.busy("GitHub")
    if busy:
        return busy
    if answer.status in {200, 201}:
        return Sent(str(answer.json().get("id", "")))
    if answer.status == _FORBIDDEN and answer.after is not None:
        return Retry("GitHub limits us", answer.after)
    return Refused(f"GitHub answered {answer.status}")
