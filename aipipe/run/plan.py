"""What would happen to each stage, and why: decided before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe.pipeline.condition import against
from aipipe.run.agents import argv_of, left_out
from aipipe.run.key import ago, key_of
from aipipe_core.change.exclude import is_excluded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import Pipeline, Stage
    from aipipe.run.key import Passed

ANY_RUN = Path("RUN")
"""Stands for the run directory in keys: its name is new each time."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``run``, ``skip`` (it is left out) or ``keep`` (it has passed already), with the reason."""

    stage: Stage
    action: str
    why: str
    key: str


def decide(
    pipeline: Pipeline,
    analysis: Analysis,
    tree: Mapping[str, str],
    passed: Passed,
    *,
    run: str = "",
    resumed: Mapping[str, str] | None = None,
) -> list[Decision]:
    """Return the decision for each stage, in the pipeline's order.

    ``run`` is the run's id: what stands on a stage that must not be kept is new in each run.
    ``resumed`` are the keys of what this run had passed before it was interrupted.
    """
    keys: dict[str, str] = {}
    found = []
    for stage in pipeline.stages:
        before = [keys[name] for name in stage.depends_on]
        argv = argv_of(stage, analysis, ANY_RUN)
        key = key_of(stage, argv, analysis, tree, before)
        action, why = _verdict(stage, analysis, tree, passed, key, resumed or {})
        keys[stage.name] = key if stage.cache else f"{key} in {run}"
        found.append(Decision(stage, action, why, key))
    return found


def _verdict(
    stage: Stage,
    analysis: Analysis,
    tree: Mapping[str, str],
    passed: Passed,
    key: str,
    resumed: Mapping[str, str],
) -> tuple[str, str]:
    reason = against(stage.when, analysis) or left_out(stage, analysis)
    if reason:
        return "skip", reason
    root = analysis.change.root
    missing = _missing(stage, root, tree)
    if missing:
        return "run", f"its output {missing} is not there"
    if resumed.get(stage.name) == key:
        return "keep", "it passed before the run was interrupted"
    if stage.name in resumed:
        return "run", "what it depends on changed since it passed"
    if not stage.cache:
        return "run", "it runs each time"
    when = passed.when(key)
    if when is not None:
        return "keep", f"it passed on the same content {ago(when)}"
    return "run", "it has not passed on this content yet"


def _missing(stage: Stage, root: Path, tree: Mapping[str, str]) -> str:
    """Return the first declared output that does not exist; a glob wants one file."""
    for output in stage.outputs:
        if any(character in output for character in "*?"):
            if not any(is_excluded(path, (output,)) for path in tree) and not any(
                root.glob(output)
            ):
                return output
        elif not (root / output).exists():
            return output
    return ""
