"""A run in words: what it was about, how each stage ended, and why one failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARKS = {
    "passed": "ok",
    "failed": "FAILED",
    "skipped": "passed by",
    "blocked": "blocked",
    "interrupted": "stopped",
    "running": "running",
    "waiting": "waiting",
}


def in_words(run: Mapping[str, Any]) -> str:
    """Return the report of a ``run.json``."""
    return "\n".join(_lines(run))


def _lines(run: Mapping[str, Any]) -> Iterator[str]:
    head = run["head"] if run["head"] in ("staged", "worktree") else run["head"][:10]
    route = run["route"]
    yield f"Run     {run['id']}: {run['pipeline']}, {run['state']} in {_time(run['seconds'])}"
    yield f"Change  {run['base'][:10]} to {head}"
    probable = f", {run['probability']:.0%} probable to need a fix" if "probability" in run else ""
    yield f"Risk    {run['level']}{probable}"
    yield (
        f"Route   tests {route['tests']}, build {route['build']}, {route['strategy']} release, "
        f"watched for {route['watch_seconds'] // 60} min"
    )
    yield "Stages"
    width = max((len(stage["name"]) for stage in run["stages"]), default=0)
    for stage in run["stages"]:
        yield from _stage(stage, width)


def _stage(stage: Mapping[str, Any], width: int) -> Iterator[str]:
    mark = MARKS[stage["state"]]
    time = _time(stage["seconds"]) if stage["attempts"] else ""
    why = stage.get("why", "")
    yield f"  {stage['name']:<{width}}  {mark:<9}  {time:>7}  {why}".rstrip()
    told = stage.get("explanation")
    if not told:
        return
    indent = "  " + " " * width + "  "
    yield f"{indent}{told['summary']}"
    for place in told["places"][:3]:
        function = f" in {place['function']}" if place.get("function") else ""
        yield f"{indent}at {place['path']}:{place['line']}{function}"
    hunk = told["hunk"]
    if hunk:
        lines = f"{hunk['start']}" if hunk["start"] == hunk["end"] else _span(hunk)
        yield f"{indent}most likely at fault: {hunk['path']}:{lines} ({hunk['why']})"
    for text in told["suggestions"]:
        yield f"{indent}try: {text}"
    if stage.get("log"):
        yield f"{indent}output: {stage['log']}"


def _span(hunk: Mapping[str, Any]) -> str:
    return f"{hunk['start']}-{hunk['end']}"


def _time(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
