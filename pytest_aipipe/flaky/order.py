"""Order: which tests turn the verdict of another when they run first, and through what state.

The fewest are found by delta debugging (A. Zeller and R. Hildebrandt, Simplifying and
Isolating Failure-Inducing Input, IEEE TSE 28, 2002); the state by putting single changes
back between the two and looking whether the verdict turns back.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pytest_aipipe.flaky.finding import Pollution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_aipipe.flaky.lab import Bench
    from pytest_aipipe.flaky.verdict import Verdict

MOST_KEYS = 60
FIRST_KINDS = ("environment", "folder", "logging", "handler", "hook", "locale", "module",
               "warnings", "random", "decimal", "socket", "limit", "umask", "path")  # fmt: skip


def orders(tests: Sequence[str], shuffles: int, seed: int = 0) -> list[tuple[str, list[str]]]:
    """Return orders of the tests with a name each: as given, reversed, shuffled."""
    found = [("in the given order", list(tests)), ("in reverse order", list(tests)[::-1])]
    for number in range(shuffles):
        mixed = list(tests)
        random.Random(f"{seed}-{number}").shuffle(mixed)  # noqa: S311 - repeatable
        found.append((f"shuffled ({number})", mixed))
    return found


def bisect(bench: Bench, victim: str, before: Sequence[str], *, bad: bool,
           late: Callable[[], bool]) -> tuple[str, ...]:  # fmt: skip
    """Return the fewest tests of ``before`` after which ``victim``'s verdict is ``bad``.

    Empty where the verdict did not turn again.
    """

    def turns(some: Sequence[str]) -> bool:
        last = bench.run([*some, victim]).of(victim)
        return last is not None and last.bad == bad

    if not turns(before):
        return ()
    return tuple(_fewest(list(before), turns, late))


def _fewest(
    names: list[str], turns: Callable[[Sequence[str]], bool], late: Callable[[], bool]
) -> list[str]:
    parts = 2
    while len(names) > 1 and not late():
        size = -(-len(names) // parts)
        pieces = [names[i : i + size] for i in range(0, len(names), size)]
        # The later half first: what pollutes often stands near its victim.
        chosen = next((piece for piece in reversed(pieces) if turns(piece)), None)
        if chosen is not None:
            names, parts = chosen, 2
            continue
        if len(pieces) > 2:  # noqa: PLR2004 - with two pieces a complement is a piece
            rest = next(
                (
                    kept
                    for piece in pieces
                    if turns(kept := [name for name in names if name not in piece])
                ),
                None,
            )
            if rest is not None:
                names, parts = rest, max(parts - 1, 2)
                continue
        if parts >= len(names):
            break
        parts = min(parts * 2, len(names))
    return names


def explain(bench: Bench, victim: str, before: tuple[str, ...], *, bad: bool) -> Pollution:
    """Return the pollution with the state that carries it, as far as experiments show it."""
    order = [*before, victim]
    seen = bench.run(order, state={"after": len(before)})
    rows = sorted(seen.changed, key=_likely)[:MOST_KEYS]

    def cures(keys: Sequence[str]) -> bool:
        watch = {"after": len(before), "restore": list(keys)}
        last = bench.run(order, state=watch).of(victim)
        return last is not None and last.bad != bad

    keys = [row["key"] for row in rows]
    found: tuple[str, ...] = ()
    for key in keys:
        if cures([key]):
            found = (key,)
            break
    else:
        if keys and cures(keys):
            found = tuple(_fewest(keys, cures, lambda: False))
    by_key: dict[str, Mapping[str, Any]] = {row["key"]: row for row in rows}
    changed = tuple(by_key[key] for key in found)
    return Pollution(victim, before, found, changed, brittle=not bad)


def _likely(row: Mapping[str, Any]) -> tuple[int, str]:
    if row["kind"] in ("attribute", "cache"):
        return (1 if row.get("double") else 0, row["key"])
    order = FIRST_KINDS.index(row["kind"]) if row["kind"] in FIRST_KINDS else len(FIRST_KINDS)
    return (2 + order, row["key"])


def words(pollution: Pollution, verdicts: Sequence[Verdict]) -> list[str]:
    """Return the evidence in words."""
    others = " and ".join(pollution.before)
    runs = len(verdicts)
    if pollution.brittle:
        told = [f"fails alone ({runs} of {runs}) and passes after {others}"]
    else:
        told = [f"passes alone ({runs} of {runs}) and fails after {others}"]
    for row in pollution.changed:
        told.append(f"{others} leaves {_named(row)}; put back, the verdict turns back")
    if not pollution.keys:
        told.append("no state that could be put back explains it")
    return told


_KINDS = {
    "attribute": "the module attribute", "cache": "the cache of", "environment":
    "the environment variable", "folder": "the current directory", "module": "the loaded module",
    "logging": "the logging settings of", "handler": "the handler of signal", "hook": "the hook",
    "random": "the random state of", "warnings": "the warnings filters", "file": "the file",
    "path": "the import path", "locale": "the locale", "decimal": "the decimal context",
    "socket": "the default socket timeout", "limit": "the recursion limit", "umask": "the umask",
}  # fmt: skip


def _named(row: Mapping[str, Any]) -> str:
    kind, _, name = row["key"].partition(":")
    what = _KINDS.get("cache" if row["kind"] == "cache" else kind, kind)
    double = " (a test double)" if row.get("double") else ""
    return f"{what} {name}{double} changed from {row['was']} to {row['now']}"
