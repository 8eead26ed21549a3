"""One forge's HTTP interface: JSON in and out, patience with outages, no exception.

Only what may be repeated is repeated: reads, and writes that name what they replace. A refusal
is told in words a user can act on; no message holds the token.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe.forge.model import Told
from aipipe_core.notify.deliver import Retry
from aipipe_core.notify.senders.http import Endpoint, Response

if TYPE_CHECKING:
    from collections.abc import Callable

_REPEATED = frozenset({"GET", "PUT", "PATCH"})
_MOST_PATIENCE = 20.0
_MOST_PAGES = 30
_MOST_BYTES = 32_000_000
"""A page of comments, or of files with their hunks, is larger than any other answer."""

_REFUSALS = {
    401: "the token is wrong or has expired",
    403: "the token may not do this (on a pull request from a fork that is usual)",
    404: "it is not there, or the token may not see it",
    410: "it is switched off for this repository",
    413: "it is too large",
    422: "it was refused as it stands: the commit or line may be gone after a forced push",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its JSON, an object or a list."""

    value: Any


@dataclass(slots=True)
class Api:
    """Calls under one address. ``tries`` counts all of them, the first included."""

    name: str
    url: str
    headers: dict[str, str]
    tries: int = 3
    timeout: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    _endpoint: Endpoint = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._endpoint = Endpoint(self.url, self.timeout, _MOST_BYTES)

    def call(self, method: str, path: str, payload: dict[str, Any] | None = None) -> Answer | Told:
        """Send, again where that is safe and promising; return the JSON or why not."""
        tries = self.tries if method in _REPEATED else 1
        told = Told(done=False, why=f"{self.name} was not asked")
        for number in range(1, tries + 1):
            answer = self._endpoint.call(
                payload, path=path, method=method, headers=dict(self.headers)
            )
            if isinstance(answer, Response) and answer.status < 300:  # noqa: PLR2004 - as HTTP has it
                return self._read(answer)
            pause, told = self._refusal(answer, number)
            if pause is None or number == tries:
                break
            self.sleep(pause)
        return told

    def pages(self, path: str, size: int = 100) -> list[dict[str, Any]] | Told:
        """Read a list to its end, page by page; objects only."""
        found: list[dict[str, Any]] = []
        joint = "&" if "?" in path else "?"
        for page in range(1, _MOST_PAGES + 1):
            answer = self.call("GET", f"{path}{joint}per_page={size}&page={page}")
            if isinstance(answer, Told):
                return answer
            if not isinstance(answer.value, list):
                return Told(done=False, why=f"{self.name} answered no list for {path}")
            found += [item for item in answer.value if isinstance(item, dict)]
            if len(answer.value) < size:
                break
        return found

    def _read(self, answer: Response) -> Answer | Told:
        if not answer.body:
            return Answer({})
        if answer.cut:
            return Told(done=False, why=f"{self.name} answered more than is read")
        try:
            return Answer(json.loads(answer.body))
        except (ValueError, RecursionError):
            return Told(done=False, why=f"{self.name} answered with something that is no JSON")

    def _refusal(self, answer: Response | Retry, number: int) -> tuple[float | None, Told]:
        """Return how long to wait before another try (None: no use), and what to say."""
        pause = 0.5 * 2.0**number
        if isinstance(answer, Retry):
            return pause, Told(done=False, why=answer.why)
        busy = answer.busy(self.name)
        forbidden = answer.status == 403  # noqa: PLR2004 - how GitHub says that it limits
        if busy or (forbidden and (answer.spent or answer.after is not None)):
            after = answer.after if answer.after is not None else pause
            why = busy.why if busy else f"{self.name} limits us"
            # What is spent comes back within the hour, seldom within our patience.
            late = after > _MOST_PATIENCE or (answer.spent and answer.after is None)
            return (None if late else after), Told(done=False, why=why)
        meaning = _REFUSALS.get(answer.status, "it was refused")
        return None, Told(done=False, why=f"{self.name} answered {answer.status}: {meaning}")
