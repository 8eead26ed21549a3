"""``risk.yaml``: rules that a team writes, which come before any model, and its routes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aipipe.pipeline.lines import Lines, read_lines
from aipipe.pipeline.load import seconds
from aipipe.pipeline.schema import check
from aipipe.route import MATRIX, Route
from aipipe_core.change.exclude import is_excluded
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_core.change import Change, FileChange

FILE = "risk.yaml"
LEVELS = ("low", "medium", "high")
WAYS = ("always", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class Rule:
    """When a file matches ``paths`` and ``kinds``, the level is so, at least so or at most so."""

    line: int
    way: str
    level: str
    paths: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    only: bool = False
    why: str = ""

    def matches(self, change: Change) -> bool:
        """Whether one changed file (with ``only``, each of them) is meant."""
        found = [self._means(file) for file in change.files]
        return bool(found) and (all(found) if self.only else any(found))

    def _means(self, file: FileChange) -> bool:
        paths = [path for path in (file.path, file.old_path) if path]
        if self.paths and not any(is_excluded(path, self.paths) for path in paths):
            return False
        return not self.kinds or bool(set(self.kinds) & {str(kind) for kind in file.kinds})


@dataclass(frozen=True, slots=True)
class Rules:
    """What ``risk.yaml`` says; without one, no rules and the matrix as it is."""

    rules: tuple[Rule, ...] = ()
    matrix: Mapping[str, Route] = field(default_factory=lambda: dict(MATRIX))
    edited: frozenset[str] = frozenset()

    def settle(self, level: str, change: Change) -> tuple[str, list[Rule]]:
        """Return the level after the rules, and those that changed it.

        ``always`` first, the highest where several speak; then ``at_most``; ``at_least`` has
        the last word, for caution does.
        """
        matching = [rule for rule in self.rules if rule.matches(change)]
        spoke: list[Rule] = []
        for way, choose in (("always", max), ("at_most", min), ("at_least", max)):
            rules = [rule for rule in matching if rule.way == way]
            if not rules:
                continue
            rule = choose(rules, key=lambda one: LEVELS.index(one.level))
            wanted = rule.level if way == "always" else choose(level, rule.level, key=LEVELS.index)
            if wanted != level or way == "always":
                spoke.append(rule)
            level = wanted
        return level, spoke


def read_rules(top: Path) -> Rules:
    """Return the rules of the repository at ``top``; none where there is no ``risk.yaml``.

    Raises ``RequestError``, always with the line: ``rules-unreadable``, ``rules-not-yaml``,
    ``rules-key-twice``, ``rules-unknown-key``, ``rules-invalid``.
    """
    path = top / FILE
    if not path.exists():
        return Rules()
    lines = read_lines(path, FILE, what="rules")
    if lines.content is None:
        return Rules()
    check(lines, "rules", what="rules")
    content = lines.content
    rules = [_rule(lines, n, found) for n, found in enumerate(content.get("rules", []))]
    routes = content.get("route", {})
    matrix = {level: _route(MATRIX[level], routes.get(level, {})) for level in LEVELS}
    return Rules(tuple(rules), matrix, frozenset(routes))


def _rule(lines: Lines, number: int, found: Mapping[str, Any]) -> Rule:
    place = ("rules", number)
    ways = [way for way in WAYS if way in found]
    if len(ways) != 1:
        raise RequestError(
            "rules-invalid",
            "A rule says one of: always, at_least, at_most",
            where=lines.where(place),
            hint="Write for example: at_least: high.",
        )
    if "paths" not in found and "kinds" not in found:
        raise RequestError(
            "rules-invalid",
            "A rule names paths or kinds, or it would mean every change",
            where=lines.where(place),
            hint='Write for example: paths: ["billing/**"].',
        )
    return Rule(
        lines.of(place),
        ways[0],
        found[ways[0]],
        tuple(found.get("paths", ())),
        tuple(found.get("kinds", ())),
        found.get("only", False),
        found.get("why", ""),
    )


def _route(row: Route, found: Mapping[str, Any]) -> Route:
    values = {key: value for key, value in found.items() if key != "watch"}
    if "watch" in found:
        values["watch_seconds"] = int(seconds(found["watch"]))
    return replace(row, **values)
