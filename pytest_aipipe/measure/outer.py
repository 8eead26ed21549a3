"""pytest-cov at the same time: find its measurement, and give it what ours recorded.

coverage.py traces for the collector that was started last and pauses the others, so while
ours runs pytest-cov sees nothing. Before it reports, everything that its own rules would
have measured is added to its data, with its contexts.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from coverage import Coverage, CoverageData


def asked_for(config: pytest.Config) -> bool:
    """Whether pytest-cov was asked to measure in this session."""
    known = config.known_args_namespace
    return bool(getattr(known, "cov_source", None)) and not getattr(known, "no_cov", False)


def find(config: pytest.Config) -> Coverage | None:
    """Return the Coverage that pytest-cov runs in this process, if it runs one now."""
    plugin = config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    coverage: Coverage | None = getattr(controller, "cov", None)
    return coverage


def feed(theirs: Coverage, ours: Coverage, *, contexts: bool) -> None:
    """Add to ``theirs`` what ``ours`` recorded in the files that theirs would measure.

    ``contexts`` keeps the test's name on each line (``--cov-context=test``); otherwise all
    of it goes to the context without a name, as pytest-cov would have recorded it.
    """
    source, target = ours.get_data(), _data_of(theirs)
    branch = bool(theirs.get_option("run:branch"))
    files = [file for file in source.measured_files() if _wanted(theirs, file)]
    for context in sorted(source.measured_contexts()) if contexts else [None]:
        if context is None:
            source.set_query_contexts(None)
        else:
            source.set_query_context(context)
        target.set_context(context or "")
        _add(target, source, files, theirs, branch=branch)
    source.set_query_contexts(None)
    target.set_context("")


def _data_of(theirs: Coverage) -> CoverageData:
    """Return theirs' data without its warning that there is none yet: we are about to bring it."""
    flags = ("_warn_no_data", "_warn_unimported_source")
    before = {flag: getattr(theirs, flag) for flag in flags if hasattr(theirs, flag)}
    for flag in before:
        setattr(theirs, flag, False)
    try:
        return theirs.get_data()
    finally:
        for flag, value in before.items():
            setattr(theirs, flag, value)


def _add(
    target: CoverageData, source: CoverageData, files: list[str], theirs: Coverage, *, branch: bool
) -> None:
    name = getattr(theirs, "_file_mapper", str)  # relative_files stores other names
    if branch:
        arcs = {name(file): source.arcs(file) or [] for file in files}
        target.add_arcs({file: seen for file, seen in arcs.items() if seen})
    else:
        lines = {name(file): source.lines(file) or [] for file in files}
        target.add_lines({file: seen for file, seen in lines.items() if seen})


def _wanted(theirs: Coverage, file: str) -> bool:
    """Ask theirs as its tracer would: by file and by the name of the module that runs there."""
    module = next(
        (m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == file), None
    )
    frame: Any = SimpleNamespace(f_globals=vars(module) if module else {"__file__": file})
    return bool(theirs._should_trace(file, frame).trace)  # noqa: SLF001 - its own rule, no copy
