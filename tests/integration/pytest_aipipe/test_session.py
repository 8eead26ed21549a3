"""A session on real repositories, without generation: select, measure, gaps, exit codes."""

from __future__ import annotations

from typing import Any

import pytest

NO_ENGINE = ("--ai-diff", "--ai-engine=none", "--ai-report=json:out.json", "--ai-report=term")


def test_the_changed_lines_and_branches_that_no_test_runs_are_shown(project: Any) -> None:
    ran = project.pytest(*NO_ENGINE)
    assert ran.code == 0
    assert "lines 2/4 -> 2/4   branches 2/4 -> 2/4" in ran.text
    assert "calc.py:3,5 add" in ran.text
    report = project.report()
    assert report["coverage"]["files"] == {
        "calc.py": {"missing": [3, 5], "missing_branches": [[2, 3], [4, 5]]}
    }
    assert report["gaps"][0]["symbol"] == "add"


def test_the_report_and_the_runs_documents_keep_to_their_schema(project: Any) -> None:
    from aipipe_core.documents import read_document

    project.pytest(*NO_ENGINE)
    assert read_document(project.root / "out.json", "tests") == project.report()
    (run,) = (project.root / ".aipipe" / "runs").iterdir()
    assert read_document(run / "tests.json", "tests")["schema"] == 1
    assert (run / "change.json").exists()


def test_only_the_tests_that_can_reach_the_change_run(project: Any) -> None:
    project.pytest(*NO_ENGINE)
    selection = project.report()["selection"]
    assert selection == {
        "collected": 2,
        "selected": 1,
        "reasons": {"tests/test_calc.py::test_add": "imports calc.py"},
    }


def test_select_off_runs_all(project: Any) -> None:
    assert "2 passed" in project.pytest(*NO_ENGINE, "--ai-select=off").text


def test_an_empty_change_runs_nothing_and_is_no_failure(project: Any) -> None:
    project.git("checkout", "-q", "--", "calc.py")
    ran = project.pytest(*NO_ENGINE)
    assert ran.code == 0
    assert "Nothing changed" in ran.text
    assert project.report()["selection"]["selected"] == 0


def test_a_change_of_documents_alone_runs_no_test(project: Any) -> None:
    project.git("checkout", "-q", "--", "calc.py")
    project.put({"README.md": "hello\n"})
    project.git("add", "README.md")
    ran = project.pytest(*NO_ENGINE)
    assert (ran.code, project.report()["selection"]["selected"]) == (0, 0)


def test_a_change_of_settings_runs_every_test(project: Any) -> None:
    project.put({"pytest.ini": "[pytest]\npythonpath = .\nxfail_strict = true\n"})
    project.pytest(*NO_ENGINE)
    assert project.report()["selection"]["selected"] == 2


@pytest.mark.parametrize("options", [("-n", "2"), ("-n", "2", "--dist", "loadfile")])
def test_workers_of_xdist_measure_and_the_controller_merges(project: Any, options: Any) -> None:
    ran = project.pytest(*NO_ENGINE, *options)
    assert ran.code == 0
    report = project.report()
    assert report["coverage"]["lines"] == {"total": 4, "before": 2, "after": 2}
    assert report["selection"]["selected"] == 1


def test_a_path_after_the_flag_is_a_path(project: Any) -> None:
    for words in (["--ai-diff", "tests"], ["--ai-diff", "tests/test_calc.py::test_add"]):
        assert "1 passed" in project.pytest(*words, "--ai-engine=none").text


def test_a_revision_after_the_flag_is_a_revision(project: Any) -> None:
    assert "1 passed" in project.pytest("--ai-diff", "HEAD", "--ai-engine=none").text


def test_the_flag_can_stand_in_the_ini_file(project: Any) -> None:
    lines = ["[pytest]", "pythonpath = .", "ai_diff = on", "ai_engine = none", "ai_select = off"]
    project.put({"pytest.ini": "\n".join(lines) + "\n"})
    ran = project.pytest()
    assert "2 passed" in ran.text
    assert "ai-diff" in ran.text


def test_the_flag_can_stand_in_addopts_before_a_path(project: Any) -> None:
    project.put({"pytest.ini": "[pytest]\npythonpath = .\naddopts = --ai-engine=none --ai-diff\n"})
    assert "passed" in project.pytest("tests").text


def test_a_named_test_runs_even_when_the_change_cannot_reach_it(project: Any) -> None:
    ran = project.pytest(*NO_ENGINE, "tests/test_other.py::test_nothing")
    assert "1 passed" in ran.text
    reasons = project.report()["selection"]["reasons"]
    assert list(reasons.values()) == ["named on the command line"]


def test_coverage_below_the_limit_fails_the_session(project: Any) -> None:
    ran = project.pytest(*NO_ENGINE, "--ai-fail-under=51")
    assert ran.code == 1
    assert "50.0 %" in ran.text
    assert project.pytest(*NO_ENGINE, "--ai-fail-under=50").code == 0


def test_collect_only_collects_and_writes_nothing(project: Any) -> None:
    ran = project.pytest("--ai-diff", "--collect-only", "-q")
    assert "test_add" in ran.text
    assert not (project.root / ".aipipe").exists()


def test_nothing_but_our_own_folder_and_the_report_appears(project: Any) -> None:
    project.pytest(*NO_ENGINE)
    assert project.status() == [" M calc.py", "?? out.json"]


def test_without_a_terminal_reporter_the_report_is_still_written(project: Any) -> None:
    ran = project.pytest(*NO_ENGINE, "-p", "no:terminal")
    assert (ran.code, ran.text) == (0, "")
    assert project.report()["coverage"]["lines"]["total"] == 4


def test_the_projects_own_exclusions_count_and_its_data_file_is_left_alone(project: Any) -> None:
    project.put(
        {
            ".coveragerc": "[run]\nomit = calc.py\ndata_file = mine\n"
            "[report]\nexclude_also =\n    if b is None\n",
            ".coverage": "theirs",
        }
    )
    project.pytest(*NO_ENGINE, env={"COVERAGE_FILE": str(project.root / ".coverage")})
    assert project.report()["coverage"]["files"]["calc.py"]["missing"] == [3]
    assert (project.root / ".coverage").read_text() == "theirs"
    assert not (project.root / "mine").exists()


def test_doctests_unittest_methods_and_parameters_are_measured(project: Any) -> None:
    project.put(
        {
            "tests/test_more.py": "import unittest\n\nimport pytest\n\nfrom calc import add\n\n\n"
            "class More(unittest.TestCase):\n    def test_left(self):\n"
            "        self.assertEqual(add(None, 1), 1)\n\n\n"
            "@pytest.mark.parametrize('b', [None])\ndef test_right(b):\n    assert add(1, b) == 1\n",
        }
    )
    project.pytest(*NO_ENGINE)
    assert project.report()["coverage"]["lines"] == {"total": 4, "before": 4, "after": 4}


def test_the_first_failure_ends_the_run_and_the_picture_is_still_shown(project: Any) -> None:
    project.put(
        {
            "tests/test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 1) == 3\n"
        }
    )
    ran = project.pytest("--ai-diff", "-x")
    assert ran.code == 1
    assert "lines 2/4" in ran.text


def test_a_file_that_cannot_be_collected_does_not_hide_the_others(project: Any) -> None:
    project.put({"tests/test_broken.py": "import nosuchmodule\n"})
    ran = project.pytest(*NO_ENGINE)
    assert ran.code == project.pytest().code == 2
    assert project.report()["coverage"]["lines"] == {"total": 4, "before": 2, "after": 2}


def test_a_src_layout_names_its_modules_as_they_are_imported(empty_project: Any) -> None:
    project = empty_project
    code = "def f(x):\n    return x\n"
    project.commit(
        {
            "src/pkg/__init__.py": "",
            "src/pkg/a.py": code,
            "src/pkg/b.py": code,
            "tests/test_a.py": "from pkg import a\n\ndef test_f():\n    assert a.f(1) == 1\n",
            "tests/test_b.py": "from pkg.b import f\n\ndef test_f():\n    assert f(1) == 1\n",
            "setup.cfg": "[tool:pytest]\npythonpath = src\naddopts = --import-mode=importlib\n",
        }
    )
    project.put({"src/pkg/a.py": "def f(x):\n    if x:\n        return x\n    return 2\n"})
    project.pytest(*NO_ENGINE)
    report = project.report()
    assert list(report["selection"]["reasons"]) == ["tests/test_a.py::test_f"]
    assert report["coverage"]["lines"] == {"total": 3, "before": 2, "after": 2}


def test_a_module_loaded_before_we_measure_has_its_top_level_counted(project: Any) -> None:
    project.put({"calc.py": "LIMIT = 3\n" + CALC_TAIL, "early.py": "import calc\n"})
    ran = project.pytest(*NO_ENGINE, "-p", "early", env={"PYTHONPATH": f"{TOP}:{project.root}"})
    assert ran.code == 0, ran.text
    assert project.report()["coverage"]["files"]["calc.py"]["missing"] == []


CALC_TAIL = "\n\ndef add(a, b):\n    return a + b\n"
TOP = str(__import__("pathlib").Path(__file__).parents[3])
