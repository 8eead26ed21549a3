"""What is shown of a hunt: the summary on the terminal, and the JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_aipipe.flaky.finding import Finding


def summary(
    findings: Sequence[Finding], notes: Iterable[str], hunted: int
) -> Iterator[tuple[str, dict[str, bool]]]:
    """Yield the lines of the summary with their markup."""
    mended = sum(finding.mended for finding in findings)
    yield (
        f"{len(findings)} flaky of {hunted} tests, {mended} with a mend that held",
        {"bold": True, "yellow": bool(findings), "green": not findings},
    )
    for finding in findings:
        yield f"  - {finding.nodeid}  {finding.cause}", {"yellow": True}
        yield f"    {finding.told}", {}
        if finding.fix:
            yield f"    mend: {finding.fix}", {"green": True}
    yield from ((f"  {note}", {"yellow": True}) for note in notes)


def document(findings: Iterable[Finding], notes: Iterable[str], *, base: str) -> dict[str, Any]:
    """Return the contract's document of a run that was only a hunt."""
    none = {"total": 0, "before": 0, "after": 0}
    return {
        "schema": 1,
        "base": base,
        "head": "worktree",
        "change": {"files": []},
        "selection": {"collected": 0, "selected": 0, "reasons": {}},
        "coverage": {"lines": dict(none), "branches": dict(none), "files": {}},
        "tests": [],
        "gaps": [],
        "behavior": [],
        "flaky": [finding.document() for finding in findings],
        "llm": {
            "calls": 0,
            "input_tokens": 0,
            "output_tokens": 0,
            "cached_tokens": 0,
            "cost_usd": 0.0,
        },
        "timing": {},
        "notes": list(notes),
    }
