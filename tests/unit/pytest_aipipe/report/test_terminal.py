from __future__ import annotations

from pathlib import Path

from aipipe_core.change.model import Change, FileChange, Kind
from pytest_aipipe.generate.model import Gap
from pytest_aipipe.generate.request import AdmittedTest, OpenGap, Result
from pytest_aipipe.measure.analysis import FileCoverage
from pytest_aipipe.options import Options
from pytest_aipipe.progress import line
from pytest_aipipe.report.document import document
from pytest_aipipe.report.findings import report_of
from pytest_aipipe.report.terminal import ranges, summary
from pytest_aipipe.select.decide import Selection
from pytest_aipipe.session.run import Run, Verdict

SOURCE = "def f(x):\n    if x:\n        return 1\n    return 2\n"


def a_run() -> Run:
    file = FileChange("a.py", "M", frozenset({Kind.CODE}))
    change = Change(Path("/r"), "b" * 40, "worktree", (file,))
    run = Run(Options(None), change, Path("/r"), sources={"a.py": SOURCE}, modules={"a.py": "a"})
    run.selection = Selection(3, {"t::x": "imports a.py"}, {})
    run.before = {
        "a.py": FileCoverage(
            frozenset({2, 3, 4}),
            frozenset({2, 3}),
            frozenset({(2, 3), (2, 4)}),
            frozenset({(2, 3)}),
        )
    }
    run.after = run.before
    run.why_not = "the budget is 0"
    return run


def test_numbers_are_told_as_ranges() -> None:
    assert ranges([5, 1, 2, 3, 9, 8]) == "1-3,5,8-9"
    assert ranges([]) == ""


def test_the_picture_is_told_in_few_lines() -> None:
    run = a_run()
    assert [text for text, _ in summary(run, document(run))] == [
        "1 changed file (bbbbbbbbbb -> worktree), 1 of 3 tests selected",
        "  lines 2/3 -> 2/3   branches 1/2 -> 1/2",
        "  no tests generated: the budget is 0",
        "  1 gap left",
        (
            "    - a.py:4 f: no selected test imports this file; nothing was generated: "
            "the budget is 0"
        ),
        "      Call f so that line 4 runs.",
        "  time: ",
    ]


def test_quiet_keeps_the_picture_and_where_it_is_open() -> None:
    run = a_run()
    told = [text for text, _ in summary(run, document(run), quiet=True)]
    assert told[2:] == ["  1 gap left", "    - a.py:4 f"]


def test_a_gap_is_a_finding_at_its_line() -> None:
    run = a_run()
    (finding,) = report_of(run, document(run)).findings
    assert (finding.path, finding.start, finding.rule) == ("a.py", 4, "untested-change")


def test_the_progress_line_says_what_how_far_and_what_is_left() -> None:
    assert line("a.f", 1, 3, 41.6) == "ai-diff: [1/3] a.f - 42 s left"
    assert line("a.f", 1, 3, -2) == "ai-diff: [1/3] a.f - 0 s left"


def test_an_admitted_test_is_kept_whole_with_what_it_was_written_for() -> None:
    run = a_run()
    one = AdmittedTest("test_a.py", "test_f", "def test_f():\n    pass\n", "local", "examples",
                       "a.py", "f", frozenset({4}), frozenset(), pinned=frozenset({2}))  # fmt: skip
    run.result = Result(admitted=[one])
    (test,) = document(run)["tests"]
    assert test["source"] == one.source
    assert test["targets"] == [{"path": "a.py", "lines": [2, 4], "new_lines": [4]}]


def test_a_reason_that_is_a_sentence_ends_once() -> None:
    run = a_run()
    run.why_not = "the budget is 0."
    (finding,) = report_of(run, document(run)).findings
    assert finding.message.endswith("the budget is 0.")
    assert not finding.message.endswith("..")


def test_a_gap_whose_test_failed_in_this_session_says_so() -> None:
    run = a_run()
    run.why_not = ""
    made = AdmittedTest(
        "test_a.py", "test_f", "def test_f(): ...", "local", "amplify", "a.py", "f",
        frozenset({4}), frozenset({(2, 4)}),
    )  # fmt: skip
    run.result = Result(
        admitted=[made],
        left=[OpenGap(Gap("a.py", "a", "f", frozenset({4}), frozenset()), "never met", "try")],
    )
    run.verdicts["test_a.py", "test_f"] = Verdict("", passed=False, reason="failed: TypeError")
    (gap,) = document(run)["gaps"]
    assert gap["why"] == (
        "A test that reaches it passed by itself and was not admitted: failed: TypeError"
    )
    assert gap["suggestion"].startswith("Look at what the tests before it leave behind")


def test_a_gap_that_the_failing_test_does_not_reach_keeps_its_reason() -> None:
    run = a_run()
    gap = Gap("a.py", "a", "f", frozenset({4}), frozenset())
    made = AdmittedTest(
        "test_a.py", "test_f", "", "local", "amplify", "a.py", "f", frozenset({3}), frozenset()
    )
    run.result = Result(admitted=[made], left=[OpenGap(gap, "never met", "try")])
    run.verdicts["test_a.py", "test_f"] = Verdict("", passed=False, reason="failed: TypeError")
    assert document(run)["gaps"][0]["why"] == "never met"
