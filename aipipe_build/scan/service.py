"""A service that answers as OSV's does: https://google.github.io/osv.dev/post-v1-querybatch/."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe_build.scan.advisory import AdvisoryError, package_key, read_advisory
from aipipe_build.scan.answer import Answer, Problem
from aipipe_build.scan.match import Match, match

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe_build.image.packages import Package
    from aipipe_build.scan.advisory import Advisory

_BATCH = 500
_LARGEST = 64 << 20
_PART = 1 << 16
_PAGES = 50
_TRIES = 3
_PAUSE = 0.2


class NoAnswerError(Exception):
    """The service did not say anything that can be relied on."""


@dataclass(slots=True)
class Service:
    """Asks over HTTP. An answer has ``seconds`` to arrive; ``sleep`` waits between tries."""

    url: str
    seconds: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    _known: dict[str, Advisory] = field(default_factory=dict)

    def answer(self, packages: Sequence[Package]) -> Answer:
        """Return what the service knows of ``packages``: about all of them, or it is no answer."""
        answer = Answer(self.url)
        wanted = [package for package in packages if package.version]
        try:
            for start in range(0, len(wanted), _BATCH):
                self._batch(wanted[start : start + _BATCH], answer)
        except NoAnswerError as error:
            answer.checked.clear()
            answer.problems.append(
                Problem("advisories-unreachable", f"no answer: {error}", surroundings=True)
            )
        return answer

    def _batch(self, packages: Sequence[Package], answer: Answer) -> None:
        pending = [(package, "") for package in packages]
        for _ in range(_PAGES):
            queries = [_query(package, token) for package, token in pending]
            results = self._post("/v1/querybatch", {"queries": queries})
            again = []
            for (package, _), result in zip(pending, results, strict=True):
                if not isinstance(result, dict):
                    raise NoAnswerError("a result is no object")
                for row in result.get("vulns") or ():
                    self._take(package, row, answer)
                if token := result.get("next_page_token"):
                    again.append((package, str(token)))
            if not again:
                answer.checked.update(packages)
                return
            pending = again
        raise NoAnswerError("its answer has no end")

    def _take(self, package: Package, row: object, answer: Answer) -> None:
        identity = row.get("id") if isinstance(row, dict) else None
        if not isinstance(identity, str) or not identity:
            raise NoAnswerError("a vulnerability has no id")
        try:
            advisory = self._advisory(identity)
        except AdvisoryError as error:
            answer.problems.append(Problem("advisory-malformed", str(error)))
            return
        if advisory.withdrawn:
            return
        name, version = package.subject
        found = match(advisory, package_key(package.ecosystem, name), version)
        # The service has matched: where we would not, it is believed.
        answer.add(package, found or Match(advisory, advisory.severity))

    def _advisory(self, identity: str) -> Advisory:
        if identity not in self._known:
            document = self._get(f"/v1/vulns/{urllib.parse.quote(identity, safe='')}")
            self._known[identity] = read_advisory(document)
        return self._known[identity]

    def _post(self, path: str, body: dict[str, Any]) -> list[Any]:
        document = self._ask(path, json.dumps(body).encode())
        results = document.get("results") if isinstance(document, dict) else None
        if not isinstance(results, list) or len(results) != len(body["queries"]):
            raise NoAnswerError(f"{path} does not answer every question")
        return results

    def _get(self, path: str) -> Any:
        return self._ask(path, None)

    def _ask(self, path: str, body: bytes | None) -> Any:
        """Return the JSON that the service answers with; what may pass is tried again."""
        request = urllib.request.Request(  # noqa: S310 - make_service has looked at the scheme
            self.url.rstrip("/") + path,
            data=body,
            headers={"Content-Type": "application/json", "User-Agent": "pytest-aipipe"},
        )
        for tries in range(1, _TRIES + 1):
            try:
                with urllib.request.urlopen(request, timeout=self.seconds) as response:  # noqa: S310
                    return _json(_read(response, time.monotonic() + self.seconds), path)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500 or tries == _TRIES:  # noqa: PLR2004 - HTTP
                    raise NoAnswerError(f"{path} answers {error.code}") from error
            except (OSError, ValueError, http.client.HTTPException) as error:
                if tries == _TRIES:
                    raise NoAnswerError(f"{path}: {error}") from error
            self.sleep(_PAUSE * tries)
        raise NoAnswerError(path)


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Return what arrives: a byte now and then would keep a connection's own timeout at rest."""
    data = bytearray()
    while len(data) <= _LARGEST and (part := response.read1(_PART)):
        data += part
        if time.monotonic() > deadline:
            raise TimeoutError("the answer has no end")
    return bytes(data)


def _json(data: bytes, path: str) -> Any:
    if len(data) > _LARGEST:
        raise NoAnswerError(f"{path} answers with too much")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoAnswerError(f"{path} does not answer with JSON") from error


def _query(package: Package, token: str) -> dict[str, Any]:
    name, version = package.subject
    query: dict[str, Any] = {
        "package": {"name": name, "ecosystem": package.ecosystem},
        "version": version,
    }
    return {**query, "page_token": token} if token else query
