"""The terminal summary: what a reviewer understands in ten seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_aipipe.report.behavior import side_by_side
from pytest_aipipe.report.document import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

    from pytest_aipipe.session.run import Run

MAX_GAPS = 10
MAX_TESTS = 20


def write_summary(reporter: pytest.TerminalReporter, run: Run) -> None:
    """Write our section into pytest's summary: whole when asked for, or the picture alone."""
    wanted = any(report.type == "term" and report.dest is None for report in run.options.reports)
    reporter.ensure_newline()
    reporter.section("ai-diff", cyan=True)
    for text, markup in summary(run, document(run), quiet=not wanted or reporter.verbosity < 0):
        reporter.write_line(text, **markup)
    for command in run.annotations.splitlines():
        reporter.write_line(command)


def summary(
    run: Run, report: dict[str, Any], *, quiet: bool = False
) -> Iterator[tuple[str, dict[str, bool]]]:
    """Yield the summary's lines with their markup. ``quiet``: the picture and the open places."""
    plain: dict[str, bool] = {}
    if not report["change"]["files"]:
        yield f"{changed(report)}: {selected_of(report)}.", plain
        return
    yield f"{changed(report)}, {selected_of(report)}", plain
    yield from _picture(run, report["coverage"])
    yield from ((f"  {note}", {"yellow": True}) for note in report["notes"])
    if quiet:
        yield from _gaps(report["gaps"], brief=True)
    else:
        yield from side_by_side(report["behavior"])
        yield from _tests(run, report["tests"])
        yield from _gaps(report["gaps"])
        yield from _model(report["llm"])
        parts = [f"{step} {seconds:.1f}s" for step, seconds in report["timing"].items()]
        yield f"  time: {', '.join(parts)}", {"light": True}


def changed(report: dict[str, Any]) -> str:
    """Return how many files changed between what, in words."""
    head = report["head"] if report["head"] in ("worktree", "staged") else report["head"][:10]
    count = len(report["change"]["files"])
    if not count:
        return f"Nothing changed between {report['base'][:10]} and {head}"
    return f"{count} changed file{_s(count)} ({report['base'][:10]} -> {head})"


def selected_of(report: dict[str, Any]) -> str:
    """Return how many of the collected tests were selected, in words."""
    selection = report["selection"]
    return f"{selection['selected']} of {selection['collected']} tests selected"


def figures(coverage: dict[str, Any]) -> str:
    """Return both figures, before and after, in one line."""
    return f"lines {_step(coverage['lines'])}   branches {_step(coverage['branches'])}"


def _picture(run: Run, coverage: dict[str, Any]) -> Iterator[tuple[str, dict[str, bool]]]:
    lines, branches = coverage["lines"], coverage["branches"]
    if not lines["total"]:
        yield "  no changed line of code can be run by a test", {}
        return
    whole = lines["after"] == lines["total"] and branches["after"] == branches["total"]
    yield f"  {figures(coverage)}", {"green": whole, "yellow": not whole, "bold": True}
    if len(run.after) > 1:
        width = max(map(len, run.after))
        for path, after in sorted(run.after.items()):
            before = run.before[path]
            done, all_ = len(after.executed), len(after.statements)
            row = f"{len(before.executed)}/{all_} -> {done}/{all_}"
            yield f"    {path:{width}}  lines {row}", {"green": done == all_}


def _step(figure: dict[str, int]) -> str:
    """Return e.g. ``11/17 -> 16/17``."""
    total = figure["total"]
    return f"{figure['before']}/{total} -> {figure['after']}/{total}"


def _tests(run: Run, tests: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, bool]]]:
    admitted = [test for test in tests if test["status"] == "admitted"]
    rejected = len(tests) - len(admitted)
    if run.why_not:
        yield f"  no tests generated: {run.why_not}", {}
    else:
        yield f"  {len(admitted)} test{_s(len(admitted))} admitted, {rejected} rejected", {}
    for test in admitted[:MAX_TESTS]:
        spots = "; ".join(
            f"{t['path']}:{ranges(t['lines'])}" for t in test["targets"] if t["lines"]
        )
        yield f"    + {test['nodeid']}  reaches {spots or 'a branch'}", {"green": True}
    if len(admitted) > MAX_TESTS:
        yield f"    and {len(admitted) - MAX_TESTS} more", {}
    for place in sorted({str(file.parent) for file in run.files}):
        kept = "" if run.options.write else " (keep them with --ai-write)"
        yield f"  written to {place}{kept}", {}


def _gaps(
    gaps: list[dict[str, Any]], *, brief: bool = False
) -> Iterator[tuple[str, dict[str, bool]]]:
    if gaps:
        yield f"  {len(gaps)} gap{_s(len(gaps))} left", {"yellow": True}
    for gap in gaps[:MAX_GAPS]:
        place = f"    - {gap['path']}:{ranges(gap['lines'])} {gap['symbol']}"
        yield (place if brief else f"{place}: {gap['why']}"), {}
        if not brief:
            yield f"      {gap['suggestion']}", {"light": True}
    if len(gaps) > MAX_GAPS:
        yield f"    and {len(gaps) - MAX_GAPS} more; --ai-report=json:FILE lists all", {}


def _model(llm: dict[str, Any]) -> Iterator[tuple[str, dict[str, bool]]]:
    if llm["calls"] or llm.get("from_store"):
        tokens = f"{llm['input_tokens'] + llm['output_tokens']:,} tokens"
        cached = f" ({llm['cached_tokens']:,} cached)" if llm["cached_tokens"] else ""
        kept = f", {llm['from_store']} answered from the store" if llm.get("from_store") else ""
        yield f"  model: {llm['calls']} calls, {tokens}{cached}, ${llm['cost_usd']:.4f}{kept}", {}


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers as ranges: ``3-5,9``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
