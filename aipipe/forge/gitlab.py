"""GitLab: one note that each run rewrites, and a commit status.

Remarks beside lines come from the code quality artefact (``--ai-report=gitlab:FILE``), which
the pipeline uploads; so :meth:`GitLab.annotate` has nothing to send.

https://docs.gitlab.com/api/ (notes, commits, merge requests)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aipipe.forge.api import Answer, Api
from aipipe.forge.model import Annotation, Request, State, Status, Told
from aipipe.forge.sticky import Thread

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = {State.SUCCESS: "success", State.FAILURE: "failed", State.PENDING: "running"}
_STATUS_SUMMARY = 255


class GitLab:
    """``project`` is an id or a path; ``number`` a merge request's iid, 0 where there is none."""

    comment_limit = 1_000_000

    def __init__(self, api: Api, project: str, number: int, sha: str) -> None:
        self._api = api
        self._base = f"/projects/{quote(project, safe='')}"
        self._number = number
        self._sha = sha

    @classmethod
    def at(
        cls, token: str, project: str, number: int, sha: str, *, url: str, timeout: float = 10.0
    ) -> GitLab:
        """Return the forge at an API's address (``.../api/v4``), by a token."""
        headers = {"PRIVATE-TOKEN": token, "User-Agent": "aipipe"}
        return cls(Api("GitLab", url, headers, timeout=timeout), project, number, sha)

    def request(self) -> Request | Told:
        """Read the merge request and the paths that it touches."""
        if not self._number:
            return Told(done=False, why="this commit belongs to no merge request")
        answer = self._api.call("GET", self._merge_request)
        if isinstance(answer, Told):
            return answer
        changes = self._api.pages(f"{self._merge_request}/diffs")
        if isinstance(changes, Told):
            return changes
        return _request(answer.value, changes)

    def comment(self, body: str) -> Told:
        """Write our note or rewrite it."""
        if not self._number:
            return Told(done=False, why="this commit belongs to no merge request")
        notes = f"{self._merge_request}/notes"
        thread = Thread(notes, f"{notes}/{{id}}", "PUT", "?sort=asc&order_by=created_at")
        return _told(thread.write(self._api, body))

    def status(self, status: Status) -> Told:
        """Set the commit's status; one that already stands so is no failure."""
        payload = {
            "state": _STATES[status.state],
            "name": status.context,
            "description": status.summary[:_STATUS_SUMMARY],
        }
        if status.url:
            payload["target_url"] = status.url
        return _told(self._api.call("POST", f"{self._base}/statuses/{self._sha}", payload))

    def annotate(self, status: Status, annotations: Sequence[Annotation]) -> Told:
        """Set the status; the code quality artefact brings the remarks."""
        del annotations
        return self.status(status)

    @property
    def _merge_request(self) -> str:
        return f"{self._base}/merge_requests/{self._number}"


def _request(value: Any, changes: list[dict[str, Any]]) -> Request | Told:
    try:
        refs = value["diff_refs"]
        return Request(
            base=str(refs["base_sha"]),
            head=str(refs["head_sha"]),
            title=str(value.get("title", "")),
            author=str((value.get("author") or {}).get("username", "")),
            fork=value["source_project_id"] != value["target_project_id"],
            files=tuple(str(one["new_path"]) for one in changes if "new_path" in one),
        )
    except (KeyError, TypeError, AttributeError):
        return Told(done=False, why="GitLab's answer is no merge request")


def _told(answer: Answer | Told) -> Told:
    return answer if isinstance(answer, Told) else Told(done=True)
