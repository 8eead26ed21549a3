"""GitHub: one comment that each run rewrites, a commit status, a check run with annotations.

https://docs.github.com/en/rest (issue comments, commit statuses, check runs, pull requests)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe.forge.api import Answer, Api
from aipipe.forge.model import Annotation, Request, State, Status, Told
from aipipe.forge.sticky import Thread

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_ONCE = 50  # annotations that one call may bring
_MOST = 500
_STATUS_SUMMARY = 140
_CONCLUSIONS = {State.SUCCESS: "success", State.FAILURE: "failure", State.PENDING: "neutral"}


class GitHub:
    """``repository`` is owner/name; ``number`` a pull request's, 0 where there is none."""

    comment_limit = 65_536

    def __init__(self, api: Api, repository: str, number: int, sha: str) -> None:
        self._api = api
        self._base = f"/repos/{repository}"
        self._repository = repository
        self._number = number
        self._sha = sha

    @classmethod
    def at(
        cls, token: str, repository: str, number: int, sha: str, *, url: str, timeout: float = 10.0
    ) -> GitHub:
        """Return the forge at an API's address, by a token."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "aipipe",
        }
        return cls(Api("GitHub", url, headers, timeout=timeout), repository, number, sha)

    def request(self) -> Request | Told:
        """Read the pull request and the paths that it touches."""
        if not self._number:
            return Told(done=False, why="this commit belongs to no pull request")
        answer = self._api.call("GET", f"{self._base}/pulls/{self._number}")
        if isinstance(answer, Told):
            return answer
        files = self._api.pages(f"{self._base}/pulls/{self._number}/files")
        if isinstance(files, Told):
            return files
        return _request(answer.value, self._repository, files)

    def comment(self, body: str) -> Told:
        """Write our comment or rewrite it."""
        if not self._number:
            return Told(done=False, why="this commit belongs to no pull request")
        base = f"{self._base}/issues"
        thread = Thread(f"{base}/{self._number}/comments", f"{base}/comments/{{id}}", "PATCH")
        return _told(thread.write(self._api, body))

    def status(self, status: Status) -> Told:
        """Set the commit's status."""
        payload = {
            "state": status.state.value,
            "description": status.summary[:_STATUS_SUMMARY],
            "context": status.context,
        }
        if status.url:
            payload["target_url"] = status.url
        return _told(self._api.call("POST", f"{self._base}/statuses/{self._sha}", payload))

    def annotate(self, status: Status, annotations: Sequence[Annotation]) -> Told:
        """Make a check run; GitHub takes fifty annotations a call, so the rest follows."""
        kept = [_annotation(one) for one in annotations[:_MOST]]
        left = len(annotations) - len(kept)
        summary = status.summary + (f" ({left} more annotations are left out)" if left else "")
        output = {"title": status.summary[:_STATUS_SUMMARY], "summary": summary}
        payload: dict[str, Any] = {
            "name": status.context,
            "head_sha": self._sha,
            "status": "completed",
            "conclusion": _CONCLUSIONS[status.state],
            "output": {**output, "annotations": kept[:_AT_ONCE]},
        }
        answer = self._api.call("POST", f"{self._base}/check-runs", payload)
        for start in range(_AT_ONCE, len(kept), _AT_ONCE):
            if isinstance(answer, Told) or not isinstance(answer.value, dict):
                break
            path = f"{self._base}/check-runs/{answer.value.get('id')}"
            more = {"output": {**output, "annotations": kept[start : start + _AT_ONCE]}}
            answer = self._api.call("PATCH", path, more)
        return _told(answer)


def _request(value: Any, repository: str, files: list[dict[str, Any]]) -> Request | Told:
    try:
        head = value["head"]
        origin = (head.get("repo") or {}).get("full_name", "")
        return Request(
            base=str(value["base"]["sha"]),
            head=str(head["sha"]),
            title=str(value.get("title", "")),
            author=str((value.get("user") or {}).get("login", "")),
            fork=origin != repository,
            files=tuple(str(file["filename"]) for file in files if "filename" in file),
        )
    except (KeyError, TypeError, AttributeError):
        return Told(done=False, why="GitHub's answer is no pull request")


def _annotation(one: Annotation) -> dict[str, Any]:
    return {
        "path": one.path,
        "start_line": one.start,
        "end_line": max(one.start, one.end),
        "annotation_level": one.level,
        "title": one.title[:255],
        "message": one.message[:60_000],
    }


def _told(answer: Answer | Told) -> Told:
    if isinstance(answer, Told):
        return answer
    page = answer.value.get("html_url", "") if isinstance(answer.value, dict) else ""
    return Told(done=True, detail=str(page or ""))
