"""The scene that engines are shown for a gap: tests nearest first, texts, fixtures, calls."""

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING

from pytest_aipipe.generate.model import Gap, KnownTest, RecordedCall, Scene

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_aipipe.generate.request import Request
    from pytest_aipipe.generate.tries import Try

NEAREST = 60


def scene_for(
    gap: Gap,
    request: Request,
    *,
    calls: Sequence[RecordedCall],
    test_sources: Mapping[Path, str],
    fixtures: frozenset[str],
    async_mark: str | None,
    tries: Sequence[Try] = (),
) -> Scene:
    """Return the scene of ``gap``; the same request always gives the same one."""
    return Scene(
        root=request.root,
        sources=request.sources,
        added=request.added,
        tests=nearest(gap, request.tests),
        calls=[one for one in calls if one.module == gap.module] or list(calls),
        test_sources=test_sources,
        fixtures=fixtures,
        rng=Random(_seed(gap, request.seed)),  # noqa: S311 - nothing secret is drawn
        async_mark=async_mark,
        tries=tries,
    )


def nearest(gap: Gap, tests: Sequence[KnownTest]) -> list[KnownTest]:
    """Return the tests that come closest to the gap: by the open lines' neighbours they ran.

    The nearest row of each parametrized test comes before any second one: where a few tests
    have many rows, they are not all that an engine sees.
    """
    targets = sorted(gap.lines | {start for start, _ in gap.branches})
    if not targets:
        return list(tests)[:NEAREST]
    low, high = targets[0], targets[-1]

    def distance(test: KnownTest) -> tuple[int, int, int, str]:
        ran = test.lines.get(gap.path, frozenset())
        if not ran:
            return (2, 0, 0, test.nodeid)
        starts = {start for start, _ in gap.branches}
        guards = len(ran & starts)
        near = min(min(abs(n - low), abs(n - high)) if not low <= n <= high else 0 for n in ran)
        within = sum(low <= n <= high for n in ran)
        return (0 if guards or within else 1, -guards * 3 - within, near, test.nodeid)

    return _each_first(sorted(tests, key=distance))[:NEAREST]


def _each_first(tests: Sequence[KnownTest]) -> list[KnownTest]:
    """Return the tests in their order, those after the first of a function put last."""
    first: dict[tuple[Path, str], KnownTest] = {}
    for test in tests:
        first.setdefault((test.source_path, test.qualname), test)
    further = [test for test in tests if first[test.source_path, test.qualname] is not test]
    return [*first.values(), *further]


def read_sources(tests: Sequence[KnownTest], extra: Sequence[Path] = ()) -> dict[Path, str]:
    """Return the text of every test file, and of the conftests above them."""
    found: dict[Path, str] = {}
    paths = {test.source_path for test in tests}
    folders = {folder for path in paths for folder in path.parents}
    conftests = {folder / "conftest.py" for folder in folders}
    for path in sorted({*paths, *conftests, *extra}):
        try:
            found[path] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return found


def _seed(gap: Gap, seed: int) -> int:
    name = f"{seed}:{gap.path}:{gap.symbol}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
