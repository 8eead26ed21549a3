"""Commands as values: what a stage starts, and the environment in which it runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aipipe_core.change.spec import STAGED, WORKTREE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import Stage

EXTRA_BUDGET = 300
"""Seconds in which ``full+extra`` looks for tests of what nothing tests yet."""
SKIPPED = "skip"


def argv_of(stage: Stage, analysis: Analysis, run: Path) -> list[str]:
    """Return what the stage starts; ``run`` is the run directory."""
    if stage.uses == "tests":
        return [*_tests(analysis, run), *stage.arguments]
    if stage.uses == "build":
        return [*_build(analysis, run), *stage.arguments]
    if stage.uses == "deploy":
        return [*_deploy(stage, analysis, run), *stage.arguments]
    return list(stage.command)


def left_out(stage: Stage, analysis: Analysis) -> str:
    """Return why the route leaves the stage out; empty where it does not."""
    if stage.uses == "tests" and analysis.route.tests == SKIPPED:
        return "the route skips the tests of this change"
    if stage.uses == "build" and analysis.route.build == SKIPPED:
        return "the route skips the build of this change"
    if stage.uses == "deploy" and analysis.route.build == SKIPPED:
        return "nothing that is shipped changed"
    return ""


def _tests(analysis: Analysis, run: Path) -> list[str]:
    change, route = analysis.change, analysis.route
    spec = STAGED if change.head == STAGED else change.base
    if change.head not in (STAGED, WORKTREE):
        spec = f"{change.base}..{change.head}"
    argv = [sys.executable, "-m", "pytest", f"--ai-diff={spec}", "--ai-report=term"]
    argv.append(f"--ai-report=json:{run / 'tests.json'}")
    if route.tests == "impacted":
        return [*argv, "--ai-engine=none"]
    argv.append("--ai-select=off")
    if route.tests == "full":
        return [*argv, "--ai-engine=none"]
    return [*argv, f"--ai-budget={EXTRA_BUDGET}"]


def _build(analysis: Analysis, run: Path) -> list[str]:
    options = [f"--at-least={analysis.route.build}", f"--json={run / 'build.json'}"]
    return [sys.executable, "-m", "aipipe_build", "run", *options]


def _deploy(stage: Stage, analysis: Analysis, run: Path) -> list[str]:
    strategy = analysis.route.strategy if stage.strategy == "auto" else stage.strategy
    options = [f"--strategy={strategy}", f"--analysis={run / 'risk.json'}"]
    options.append(f"--json={run / 'deploy.json'}")
    if stage.monitor:  # else the route's, which the analysis names, unless deploy.watch says more
        options.append(f"--watch={stage.monitor.seconds:g}")
    return [sys.executable, "-m", "aipipe_deploy", "up", *options]


def environment_of(
    stage: Stage, analysis: Analysis, run: Path, outer: Mapping[str, str]
) -> dict[str, str]:
    """Return the stage's environment: the outer one, what is known of the run, its own."""
    risk, route = analysis.risk, analysis.route
    known = {
        "PIPELINE_RUN": str(run),
        "PIPELINE_STAGE": stage.name,
        "PIPELINE_BASE": analysis.change.base,
        "PIPELINE_HEAD": analysis.change.head,
        "PIPELINE_RISK": risk.level,
        "PIPELINE_PROBABILITY": f"{risk.probability:.4f}",
        "PIPELINE_TESTS": route.tests,
        "PIPELINE_BUILD": route.build,
        "PIPELINE_STRATEGY": route.strategy,
        "PIPELINE_WATCH_SECONDS": str(route.watch_seconds),
    }
    return {**outer, **known, **stage.environment}
