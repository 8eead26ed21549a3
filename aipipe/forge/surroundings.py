"""Where a run takes place: on which forge, for which request, with what permission.

Read from the environment that GitHub Actions and GitLab CI set, and from nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe.forge.github import GitHub
from aipipe.forge.gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe.forge.model import Forge

GITHUB_API = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Place:
    """``kind`` is ``github``, ``gitlab``, or empty outside of both.

    ``number`` is the pull or merge request's, 0 where there is none. ``why`` says what stands in
    the way of writing to the forge, empty when nothing does.
    """

    kind: str = ""
    project: str = ""
    number: int = 0
    sha: str = ""
    fork: bool = False
    url: str = ""
    token: str = ""
    why: str = ""

    def __repr__(self) -> str:
        return f"Place({self.kind or 'no forge'}, {self.project}, {self.number})"


def place_of(environ: Mapping[str, str]) -> Place:
    """Return where this is. Never raises: what is missing is said in ``why``."""
    if environ.get("GITHUB_ACTIONS") == "true" or environ.get("GITHUB_REPOSITORY"):
        return _github(environ)
    if environ.get("GITLAB_CI") or environ.get("CI_PROJECT_ID"):
        return _gitlab(environ)
    return Place(why="this is neither GitHub Actions nor GitLab CI")


def forge_for(place: Place) -> Forge | None:
    """Return the forge to write to, or None where ``place.why`` says why there is none."""
    if place.why:
        return None
    kind = GitHub if place.kind == "github" else GitLab
    return kind.at(place.token, place.project, place.number, place.sha, url=place.url)


def _github(environ: Mapping[str, str]) -> Place:
    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    request = event.get("pull_request")
    request = request if isinstance(request, dict) else {}
    head = _part(request, "head")
    repository = environ.get("GITHUB_REPOSITORY", "")
    origin = _part(head, "repo").get("full_name")
    fork = bool(request) and origin != repository
    token = _token(environ, "GITHUB_TOKEN", "GH_TOKEN")
    number = request.get("number", 0)
    return Place(
        kind="github",
        project=repository,
        number=number if isinstance(number, int) else 0,
        sha=str(head.get("sha") or environ.get("GITHUB_SHA", "")),
        fork=fork,
        url=environ.get("GITHUB_API_URL") or GITHUB_API,
        token=token,
        why=_why(token, "GITHUB_TOKEN", fork=fork, known=bool(repository)),
    )


def _gitlab(environ: Mapping[str, str]) -> Place:
    token = _token(environ, "GITLAB_TOKEN", "AIPIPE_GITLAB_TOKEN")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "")
    project = environ.get("CI_PROJECT_ID", "")
    target = environ.get("CI_MERGE_REQUEST_PROJECT_ID", project)
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    fork = bool(source) and source != target
    return Place(
        kind="gitlab",
        project=target,
        number=int(number) if number.isdigit() else 0,
        # Where the pipeline is of the merged result, its commit is no one's branch.
        sha=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", ""),
        fork=fork,
        url=environ.get("CI_API_V4_URL", ""),
        token=token,
        why=_why(token, "GITLAB_TOKEN", fork=fork, known=bool(environ.get("CI_API_V4_URL"))),
    )


def _token(environ: Mapping[str, str], *names: str) -> str:
    """Return the first that is set; one that was pasted with its line break is taken without."""
    return next((found for name in names if (found := environ.get(name, "").strip())), "")


def _why(token: str, variable: str, *, fork: bool, known: bool) -> str:
    if not known:
        return "the environment does not say which project this is"
    if token:
        return ""
    if fork:
        return "a request from a fork gets no token: the report stays in the job's artefacts"
    return f"{variable} is not set: give the job a token to comment with"


def _event(path: str) -> dict[str, Any]:
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _part(value: dict[str, Any], name: str) -> dict[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}
