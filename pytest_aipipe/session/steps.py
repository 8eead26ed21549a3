"""The steps of a session, in the order in which they are taken.

read change (:mod:`pytest_aipipe.session.start`) -> select -> measure -> find gaps ->
generate -> admit -> compare base and head (:mod:`pytest_aipipe.session.behavior`) -> report.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError
from pytest_aipipe.engines import default_engines
from pytest_aipipe.gaps.find import find_gaps
from pytest_aipipe.gaps.names import loaded_names, module_name
from pytest_aipipe.measure import imported
from pytest_aipipe.measure.analysis import Analyst
from pytest_aipipe.measure.trace import OUTSIDE, merge, union
from pytest_aipipe.report.write import write_reports
from pytest_aipipe.select.decide import Selection
from pytest_aipipe.select.order import ordered
from pytest_aipipe.session.agreement import agreed
from pytest_aipipe.session.ask import build_request
from pytest_aipipe.session.behavior import Behavior
from pytest_aipipe.session.engines import chosen, gate_rules
from pytest_aipipe.session.folder import defect_file
from pytest_aipipe.session.model import shared_engine, tell
from pytest_aipipe.session.selecting import plan

if TYPE_CHECKING:
    import pytest

    from pytest_aipipe.measure.analysis import FileCoverage
    from pytest_aipipe.session.host import Host
    from pytest_aipipe.session.run import Run

NO_TESTS = 5
FAILED = 1
INTERRUPTED = 2


def select(host: Host, items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the items that run and those that do not; the reasons go to the run."""
    run = host.run
    if not run.options.select:
        reasons = {item.nodeid: "--ai-select=off runs all" for item in items}
        run.selection = Selection(len(items), reasons)
    elif not run.change.files:
        left = {item.nodeid: "the change is empty" for item in items}
        run.selection = Selection(len(items), left_out=left)
    else:
        return _planned(host, items)
    reasons = dict(run.selection.reasons)
    kept = [item for item in items if item.nodeid in reasons]
    return kept, [item for item in items if item.nodeid not in reasons]


def _planned(host: Host, items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Select by what is known of the tests, the likeliest to fail first."""

    def decide() -> tuple[Selection, list[str]]:
        made = plan(host, items)
        chosen_ids = [one.nodeid for one in items if one.nodeid in made.selection.reasons]
        return made.selection, ordered(chosen_ids, made.known, made.found)

    session = getattr(host.config, "workerinput", {}).get("testrunuid")
    root = host.run.change.root
    selection, order = agreed(root, session, decide) if session else decide()
    host.run.selection = selection
    place = {nodeid: at for at, nodeid in enumerate(order)}
    kept = [item for item in items if item.nodeid in place]
    kept.sort(key=lambda item: place[item.nodeid])
    return kept, [item for item in items if item.nodeid not in place]


def loaded_modules(host: Host) -> dict[str, str]:
    """Return the import names of the changed files that are loaded in this process."""
    names = loaded_names()
    return {path: names[file] for file, path in host.recorder.by_file.items() if file in names}


def after_tests(host: Host, session: pytest.Session, *, finished: bool) -> None:
    """Take every step that comes after the project's own tests have run.

    A defect of ours never costs the user the session: it is noted, with a file to paste.
    """
    run = host.run
    try:
        with run.timed("measure"):
            measure(host)
        with run.timed("gaps"):
            run.gaps = find_gaps(run.before, run.sources, run.modules)
        if not finished:
            run.why_not = "the run was cut short"
            return
        behavior = Behavior(host)
        try:
            generate(host, behavior)
            # What an admitted test puts in place of a clock or a process is in place for all
            # threads of this process.
            behavior.wait()
            host.admission.admit(session)
            _compare(run, behavior)
        finally:
            behavior.stop()
    except KeyboardInterrupt:
        run.interrupted = True
        host.admission.withdraw()
        raise
    except AipipeError as error:
        run.note(" ".join(str(error).split()))
        host.admission.withdraw()
    except Exception:
        place = defect_file(run.change.root, traceback.format_exc())
        run.note(f"A defect of ours stopped the work after the tests; see {place}. [defect]")
        host.admission.withdraw()
    finally:
        host.recorder.stop()


def _compare(run: Run, behavior: Behavior) -> None:
    """Compare base and head; what goes wrong there costs no test that was admitted."""
    try:
        behavior.compare()
    except AipipeError as error:
        run.note(f"Base and head were not compared: {' '.join(str(error).split())}")
    except Exception:
        place = defect_file(run.change.root, traceback.format_exc())
        run.note(f"A defect of ours stopped the comparison; see {place}. [defect]")


def measure(host: Host) -> None:
    """Set ``run.before``: what the selected tests ran of each changed line and branch."""
    run = host.run
    for path, why in run.unreadable.items():
        run.note(f"{path} cannot be read as Python ({why}): it is not measured. [unreadable-file]")
    _name_modules(host)
    early = {OUTSIDE: _early_arcs(host)}
    run.trace = merge([run.trace, host.recorder.trace(), early])
    run.before = figures(run, union(run.trace))
    run.after = run.before


def _early_arcs(host: Host) -> dict[str, frozenset[tuple[int, int]]]:
    arcs = imported.import_arcs(host.early, host.run.rootdir)
    return {host.recorder.by_file[file]: seen for file, seen in arcs.items()}


def _name_modules(host: Host) -> None:
    run = host.run
    names = loaded_names()
    for path in run.sources:
        if path not in run.modules:
            run.modules[path] = module_name(run.change.root / path, sys.path, names)


def figures(run: Run, ran: dict[str, frozenset[tuple[int, int]]]) -> dict[str, FileCoverage]:
    """Return the figures of the changed lines, by path, given the arcs that ``ran``."""
    analyst = Analyst(run.rootdir)
    added = {file.path: file.changed_lines for file in run.change.files}
    found = {}
    for path in run.sources:
        file = Path(os.path.realpath(run.change.root / path))
        whole = analyst.analyse(file, ran.get(path, frozenset()))
        if whole is not None:
            found[path] = whole.within(added[path])
    return found


def generate(host: Host, behavior: Behavior) -> None:
    """Set ``run.result``: the tests that passed the gate, or say why none did.

    What ``behavior`` compares is compared beside the last part of it.
    """
    run = host.run
    budget = run.options.budget - behavior.reserved
    model = shared_engine(host) if run.gaps and run.options.budget else None
    engines = chosen(host.config, run.options.engines, model)
    if not engines and run.options.engines == ("llm",):
        engines = default_engines()  # the note says why there is no model: the run goes on
    run.why_not = _why_not(host, engines=bool(engines))
    if run.why_not:
        return
    from pytest_aipipe.generate.run import generate as generate_tests

    with run.timed("generate"):
        request = build_request(host, budget)
        run.target = request.target
        with host.progress() as progress:
            try:
                run.result = generate_tests(
                    request,
                    progress,
                    engines=engines,
                    rules=gate_rules(host.config),
                    explored=behavior.begin,
                )
            finally:
                tell(host, model)
    for note in run.result.notes:
        run.note(note)
    if any(note.startswith("Interrupted") for note in run.result.notes):
        raise KeyboardInterrupt  # generation gave back what it had; the session still ends


def _why_not(host: Host, *, engines: bool) -> str:
    run = host.run
    if not run.gaps:
        return "there is no gap"
    if not engines:
        return "no engine was asked for"
    if run.options.budget == 0:
        return "the budget is 0"
    return ""


def finish(host: Host, session: pytest.Session) -> None:
    """Decide the exit code and write the reports."""
    run = host.run
    nothing_to_run = bool(run.selection.left_out) or not run.change.files
    if session.exitstatus == NO_TESTS and nothing_to_run:
        session.exitstatus = 0
    if run.collection_errors and session.exitstatus in (0, FAILED):
        session.exitstatus = INTERRUPTED
        run.note("Some test files could not be collected; the others ran all the same.")
    limit = run.options.fail_under
    if limit is not None and run.percent < limit and session.exitstatus in (0, NO_TESTS):
        session.exitstatus = FAILED
        run.note(f"Changed-line coverage is {run.percent:.1f} %, below --ai-fail-under={limit:g}.")
    write_reports(host)
