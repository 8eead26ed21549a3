"""``aipipe analyze``: read the change, assess its risk, choose its route, tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aipipe.risk.history import history_of
from aipipe.risk.score import Risk, assess
from aipipe.route import Route, route_for
from aipipe_core.change import Change, read_change

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe_core.config import Settings

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Analysis:
    """A change with its risk and its route."""

    change: Change
    risk: Risk
    route: Route


def analyze(root: Path, spec: str | None, settings: Settings) -> Analysis:
    """Return the analysis of the change that ``spec`` names in the repository at ``root``."""
    change = read_change(
        root, spec, default_branch=settings.default_branch, exclude=settings.exclude
    )
    risk = assess(change, history_of(change), settings)
    return Analysis(change, risk, route_for(risk.level, change.kinds))


def document(analysis: Analysis) -> dict[str, Any]:
    """Return the contract's JSON; its schema is ``risk.schema.json``."""
    reasons = [
        {
            "feature": reason.feature.name,
            "value": reason.feature.value,
            "effect": reason.effect,
            "text": reason.feature.text,
        }
        for reason in analysis.risk.reasons
    ]
    return {
        "schema": SCHEMA,
        "base": analysis.change.base,
        "head": analysis.change.head,
        "kinds": sorted(analysis.change.kinds),
        "risk": {
            "probability": analysis.risk.probability,
            "level": analysis.risk.level,
            "reasons": reasons,
        },
        "route": asdict(analysis.route),
    }


def in_words(analysis: Analysis) -> str:
    """Return the analysis as a person reads it in a terminal."""
    change, risk, route = analysis.change, analysis.risk, analysis.route
    count = len(change.files)
    kinds = ", ".join(sorted(change.kinds)) or "nothing"
    head = change.head if change.head in ("staged", "worktree") else change.head[:10]
    lines = [
        f"Change  {change.base[:10]} to {head}: {count} file{'s' * (count != 1)} ({kinds})",
        f"Risk    {risk.level}, {risk.probability:.0%} probable to need a fix",
    ]
    lines += [f"        {r.effect:+.2f}  {r.feature.text}" for r in risk.reasons]
    minutes = route.watch_seconds // 60
    lines.append(
        f"Route   tests {route.tests}, build {route.build}, {route.strategy} release, "
        f"watched for {minutes} min"
    )
    return "\n".join(lines)
