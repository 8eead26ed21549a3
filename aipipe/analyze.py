"""``aipipe analyze``: read the change, assess its risk, choose its route, tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aipipe.duration import in_words as duration
from aipipe.installed import Tools, noticed
from aipipe.readers import reader_of
from aipipe.risk.features import Feature
from aipipe.risk.history import history_of
from aipipe.risk.learned import assess_learned
from aipipe.risk.rules import FILE, Rule, Rules, read_rules
from aipipe.risk.score import Reason, Risk, assess
from aipipe.route import Route, reasons, route_for
from aipipe.unseen import is_idle, is_unseen
from aipipe_core.change import Change, read_change

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_core.config import Settings

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Analysis:
    """A change with its risk and its route."""

    change: Change
    risk: Risk
    route: Route
    why: Mapping[str, str] = field(default_factory=dict)


def analyze(root: Path, spec: str | None, settings: Settings) -> Analysis:
    """Return the analysis of the change that ``spec`` names in the repository at ``root``."""
    change = read_change(
        root, spec, default_branch=settings.default_branch, exclude=settings.exclude
    )
    rules = read_rules(change.root)
    risk = assess_learned(change, change.root / ".aipipe", settings)
    risk = _ruled(risk or assess(change, history_of(change), settings), change, rules)
    kinds = change.kinds
    tool = Tools(change)
    unseen = is_unseen(change, tool, tool.imports)
    reader = reader_of(change) if unseen else ""
    installed = "" if unseen else noticed(change, tool)
    route = route_for(
        risk.level,
        kinds,
        rules.matrix,
        unseen=unseen,
        read=bool(reader),
        idle=is_idle(change, tool, tool.imports),
        installs=bool(installed),
    )
    why = reasons(risk.level, kinds, route, rules.matrix, rules.edited, reader, installed)
    return Analysis(change, risk, route, why)


def _ruled(risk: Risk, change: Change, rules: Rules) -> Risk:
    """Return the risk after the team's own rules; each one that spoke is a reason, first."""
    level, spoke = rules.settle(risk.level, change)
    told = tuple(Reason(Feature("rule", rule.line, _rule_in_words(rule)), 0.0) for rule in spoke)
    return replace(risk, level=level, reasons=told + risk.reasons)


def _rule_in_words(rule: Rule) -> str:
    how = rule.way.replace("_", " ")
    why = f": {rule.why}" if rule.why else ""
    return f"{FILE}, line {rule.line}, says {how} {rule.level}{why}"


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
            "source": analysis.risk.source,
            "reasons": reasons,
        },
        "route": {**asdict(analysis.route), "why": dict(analysis.why)},
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
    lines.append(
        f"Route   tests {route.tests}, build {route.build}, {route.strategy} release, "
        f"watched for {duration(route.watch_seconds)}"
    )
    lines += [
        f"        {part}: {analysis.why[part]}"
        for part in ("tests", "build", "strategy")
        if part in analysis.why
    ]
    return "\n".join(lines)
