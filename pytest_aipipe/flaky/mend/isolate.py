"""Put into quarantine what has no mend, and let out of it what a hunt found steady."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING

from pytest_aipipe.flags import QUARANTINE
from pytest_aipipe.flaky.causes import WORDS
from pytest_aipipe.flaky.interval import interval
from pytest_aipipe.flaky.mend.proposal import names_of
from pytest_aipipe.flaky.mend.source import Source, with_mark
from pytest_aipipe.flaky.quarantine import STEADY_AFTER, mark_code
from pytest_aipipe.flaky.sequential import STEADY, most_runs

if TYPE_CHECKING:
    import libcst as cst

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.hunt import Hunt
    from pytest_aipipe.flaky.mend.proposal import Scene

MISS = 0.05


def confine(finding: Finding, scene: Scene) -> dict[str, str]:
    """Return the file of a finding without a mend, its test marked; nothing where it is."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    text = scene.read(path)
    source = Source.of(text)
    function = source.function(names)
    if function is None or _is_marked(source, function):
        return {}
    today = date.fromtimestamp(time.time())  # noqa: DTZ012 - the user's own day
    reason = f"{finding.cause}: {WORDS[finding.cause]}"
    mark = mark_code(reason, today, steady_after(finding))
    marked = source.edited(names, lambda f: with_mark(f, mark)).with_import("pytest")
    return {path: marked.text}


def steady_after(finding: Finding) -> int:
    """Return the passes in a row that speak against the rate at which a test was seen to fail."""
    low, _ = interval(*finding.natural)
    return max(most_runs(low, MISS), STEADY_AFTER) if low > 0 else STEADY_AFTER


def release(hunt: Hunt, scene: Scene) -> dict[str, str]:
    """Return the files whose tests in quarantine were found steady, their marks removed."""
    texts: dict[str, str] = {}
    for nodeid in hunt.tests:
        known = hunt.reruns.get(nodeid)
        if nodeid in hunt.found or known is None or known.verdict != STEADY:
            continue
        names, path = names_of(nodeid), scene.path_of(nodeid)
        text = texts.get(path) or scene.read(path)
        if QUARANTINE not in text:
            continue
        source = Source.of(text)
        function = source.function(names)
        if function is not None and _is_marked(source, function):
            texts[path] = source.edited(names, lambda f, s=source: _without(f, s)).text  # type: ignore[misc]
    return texts


def _is_marked(source: Source, function: cst.FunctionDef) -> bool:
    return _without(function, source) is not function


def _without(function: cst.FunctionDef, source: Source) -> cst.FunctionDef:
    code = source.module.code_for_node
    kept = [one for one in function.decorators if QUARANTINE not in code(one)]
    if len(kept) == len(function.decorators):
        return function
    return function.with_changes(decorators=kept)
