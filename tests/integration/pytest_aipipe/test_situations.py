"""Ways in which real projects are laid out and configured, each with a real session."""

from __future__ import annotations

from typing import Any

import pytest

MEASURE = ("--ai-diff", "--ai-engine=none", "--ai-report=json:out.json")
GENERATE = ("--ai-diff", "--ai-budget=20", "--ai-report=json:out.json")

# As the tests' own choice of plugins, with the one that remembers failures.
CACHED = ("-p", "no:hypothesispytest", "-p", "no:asyncio", "-p", "no:anyio")

BASE = "def f(x):\n    return x\n"
HEAD = "def f(x):\n    if x is None:\n        return 0\n    return x\n"
TEST = "from calc import f\n\n\ndef test_f():\n    assert f(1) == 1\n"


def change(project: Any, files: dict[str, str], changed: dict[str, str]) -> None:
    """Commit ``files``, then change the working tree."""
    project.commit(files)
    project.put(changed)


def lines(project: Any) -> tuple[int, int, int]:
    """Total, before, after."""
    found = project.report()["coverage"]["lines"]
    return found["total"], found["before"], found["after"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tox.ini", "[tox]\nenvlist = py\n\n[pytest]\npythonpath = src\ntestpaths = tests\n"),
        ("setup.cfg", "[metadata]\nname = x\n\n[tool:pytest]\npythonpath = src\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["src"]\n'),
    ],
)
def test_each_file_that_can_configure_pytest_does(empty_project: Any, name: str, text: str) -> None:
    change(
        empty_project,
        {name: text, "src/calc.py": BASE, "tests/test_calc.py": TEST},
        {"src/calc.py": HEAD},
    )
    assert empty_project.pytest(*MEASURE).code == 0
    assert lines(empty_project) == (2, 1, 1)


def test_an_editable_install_is_measured_where_its_source_stands(empty_project: Any) -> None:
    project = empty_project
    # What an editable install comes to: a line in a .pth file puts src on the path.
    change(
        project,
        {"src/calc/__init__.py": BASE, "pytest.ini": "[pytest]\n", "tests/test_calc.py": TEST},
        {"src/calc/__init__.py": HEAD},
    )
    path = f"{project.environment['PYTHONPATH']}:{project.root / 'src'}"
    ran = project.pytest(*MEASURE, env={"PYTHONPATH": path})
    assert ran.code == 0, ran.text
    assert lines(project) == (2, 1, 1)


def test_tests_that_live_inside_the_package_are_no_code_to_be_tested(empty_project: Any) -> None:
    test = "from ..calc import f\n\n\ndef test_f():\n    assert f(1) == 1\n"
    files = {f"pkg/{name}": "" for name in ("__init__.py", "tests/__init__.py")}
    change(
        empty_project,
        {**files, "pkg/calc.py": BASE, "pkg/tests/test_calc.py": test, "pytest.ini": "[pytest]\n"},
        {"pkg/calc.py": HEAD, "pkg/tests/test_calc.py": test + "\n\ndef test_g():\n    pass\n"},
    )
    empty_project.pytest(*MEASURE)
    report = empty_project.report()
    assert list(report["coverage"]["files"]) == ["pkg/calc.py"]
    assert lines(empty_project) == (2, 1, 1)
    assert len(report["selection"]["reasons"]) == 2


def test_a_doctest_runs_what_it_shows_and_counts(empty_project: Any) -> None:
    shown = 'def f(x):\n    """Return x.\n\n    >>> f(1)\n    1\n    """\n    return x\n'
    head = shown.replace("    return x\n", "    if x is None:\n        return 0\n    return x\n")
    change(
        empty_project,
        {
            "calc.py": shown,
            "other.py": '"""\n>>> 1\n1\n"""\n',
            "pytest.ini": "[pytest]\naddopts = --doctest-modules\n",
        },
        {"calc.py": head},
    )
    ran = empty_project.pytest(*MEASURE)
    assert ran.code == 0, ran.text
    assert list(empty_project.report()["selection"]["reasons"]) == ["calc.py::calc.f"]
    assert lines(empty_project) == (2, 1, 1)


def test_a_doctest_in_a_text_file_runs(empty_project: Any) -> None:
    change(
        empty_project,
        {
            "calc.py": BASE,
            "guide.txt": ">>> from calc import f\n>>> f(1)\n1\n",
            "pytest.ini": "[pytest]\npythonpath = .\naddopts = --doctest-glob=*.txt\n",
        },
        {"calc.py": HEAD},
    )
    assert empty_project.pytest(*MEASURE).code == 0
    assert lines(empty_project) == (2, 1, 1)


def test_python_files_and_functions_are_named_as_the_project_names_them(
    empty_project: Any,
) -> None:
    ini = "[pytest]\npythonpath = .\npython_files = check_*.py\npython_functions = check_*\n"
    change(
        empty_project,
        {
            "pytest.ini": ini,
            "calc.py": BASE,
            "checks/check_calc.py": TEST.replace("test_f", "check_f"),
        },
        {"calc.py": HEAD},
    )
    empty_project.pytest(*MEASURE)
    assert lines(empty_project) == (2, 1, 1)


@pytest.mark.slow
def test_a_conftest_that_changes_folder_and_environment_does_not_lead_us_astray(
    empty_project: Any,
) -> None:
    conftest = (
        "import os\nimport tempfile\n\nos.chdir(tempfile.mkdtemp())\nos.environ['HOME'] = '/x'\n"
        "os.environ['TMPDIR'] = '/nowhere'\n"
    )
    change(
        empty_project,
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "calc.py": BASE,
            "tests/conftest.py": conftest,
            "tests/test_calc.py": TEST,
        },
        {"calc.py": HEAD},
    )
    ran = empty_project.pytest(*GENERATE)
    assert ran.code == 0, ran.text
    assert lines(empty_project) == (2, 1, 2)
    assert empty_project.status() == [" M calc.py", "?? out.json"]


@pytest.mark.slow
def test_a_repository_may_hold_the_project_in_a_subfolder(empty_project: Any) -> None:
    project = empty_project
    change(
        project,
        {
            "back/pytest.ini": "[pytest]\npythonpath = .\n",
            "back/calc.py": BASE,
            "back/tests/test_calc.py": TEST,
            "front/index.js": "x\n",
        },
        {"back/calc.py": HEAD},
    )
    top = project.root
    project.root = top / "back"
    try:
        ran = project.pytest(*GENERATE, "--ai-write=tests/ai")
        assert ran.code == 0, ran.text
        assert lines(project) == (2, 1, 2)
        assert list(project.report()["coverage"]["files"]) == ["back/calc.py"]
        assert list((project.root / "tests" / "ai").glob("test_*.py"))
    finally:
        project.root = top


def test_a_changed_file_with_a_syntax_error_is_said_and_the_session_goes_on(
    project: Any,
) -> None:
    project.put({"broken.py": "def f(:\n    pass\n"})
    project.git("add", "-N", "broken.py")
    ran = project.pytest(*MEASURE)
    assert ran.code == 0, ran.text
    assert "Traceback" not in ran.text
    notes = " ".join(project.report()["notes"])
    assert "broken.py cannot be read as Python (syntax error in line 1" in notes
    assert "[unreadable-file]" in ran.text
    assert lines(project) == (4, 2, 2)


def test_a_changed_file_of_five_thousand_lines_is_measured(project: Any) -> None:
    many = "".join(
        f"def f{n}(x):\n    if x:\n        return {n}\n    return x\n" for n in range(1250)
    )
    project.put({"calc.py": CALC_TAIL + many})
    ran = project.pytest(*MEASURE)
    assert ran.code == 0, ran.text
    report = project.report()
    assert report["coverage"]["lines"]["total"] > 4900
    assert len(report["gaps"]) == 1250


CALC_TAIL = "def add(a, b):\n    return a + b\n"


@pytest.mark.slow
def test_what_failed_last_is_run_again_and_is_measured(project: Any) -> None:
    project.put({"tests/test_calc.py": TESTS})
    assert project.pytest(*MEASURE, quick=CACHED).code == 1
    ran = project.pytest(*GENERATE, "--lf", quick=CACHED)
    assert ran.code == 1
    assert "1 failed" in ran.text
    assert project.report()["coverage"]["lines"]["after"] == 4


TESTS = """\
from calc import add


def test_add():
    assert add(1, 2) == 3


def test_wrong():
    assert add(1, 2) == 4
"""


STRICT = """\
[pytest]
pythonpath = .
filterwarnings = error
addopts = --lf -x --maxfail=3 --cov=calc --cov-report= --timeout=60 --reruns=2 -ra
    --strict-markers --strict-config --ai-diff
"""


@pytest.mark.slow
def test_options_for_the_users_own_tests_do_not_disturb_generation(empty_project: Any) -> None:
    change(
        empty_project,
        {"pytest.ini": STRICT, "calc.py": BASE, "tests/test_calc.py": TEST, ".gitignore": ".cov*"},
        {"calc.py": HEAD},
    )
    ran = empty_project.pytest(*GENERATE[1:], quick=CACHED)
    assert ran.code == 0, ran.text
    assert lines(empty_project) == (2, 1, 2)
    assert empty_project.status() == [" M calc.py", "?? out.json"]


MODES = [
    ("asyncio", "asyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n", ()),
    ("", "asyncio_default_fixture_loop_scope = function\n", ("--asyncio-mode=auto",)),
    ("anyio", "", ("-p", "no:asyncio")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("mark", "ini", "options"), MODES)
def test_a_gap_in_an_async_function_is_closed(
    empty_project: Any, mark: str, ini: str, options: tuple[str, ...]
) -> None:
    test = TEST.replace("def test", "async def test").replace("f(1)", "await f(1)")
    marked = f"import pytest\n{test}".replace("async", f"@pytest.mark.{mark}\nasync")
    change(
        empty_project,
        {
            "pytest.ini": f"[pytest]\npythonpath = .\nfilterwarnings = error\n{ini}",
            "calc.py": "async " + BASE,
            "tests/test_calc.py": marked if mark else test,
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\n"
            "def anyio_backend():\n    return 'asyncio'\n",
        },
        {"calc.py": "async " + HEAD},
    )
    ran = empty_project.pytest(
        *GENERATE, *options, "--ai-write=tests/ai", quick=("-p", "no:hypothesispytest")
    )
    assert ran.code == 0, ran.text
    assert lines(empty_project) == (2, 1, 2)
    written = "".join(file.read_text() for file in (empty_project.root / "tests/ai").iterdir())
    # A test that is itself async carries the mark that its plugin asks for.
    assert not mark or "\nasync def test" not in written or f"@pytest.mark.{mark}" in written


@pytest.mark.slow
def test_a_gap_behind_a_doctest_is_closed(empty_project: Any) -> None:
    shown = 'def f(x):\n    """Return x.\n\n    >>> f(1)\n    1\n    """\n    return x\n'
    change(
        empty_project,
        {"calc.py": shown, "pytest.ini": "[pytest]\naddopts = --doctest-modules\n"},
        {"calc.py": shown.replace("    return x\n", HEAD.partition("\n")[2])},
    )
    ran = empty_project.pytest(*GENERATE)
    assert ran.code == 0, ran.text
    assert lines(empty_project) == (2, 1, 2)


@pytest.mark.slow
def test_tests_that_take_long_leave_generation_its_own_budget(empty_project: Any) -> None:
    slow = "\n\ndef test_slow():\n    import time\n\n    time.sleep(5)\n"
    ini = "[pytest]\npythonpath = .\naddopts = --import-mode=importlib --timeout=60 -n 2\n"
    change(
        empty_project,
        {"pytest.ini": ini, "calc.py": BASE, "tests/test_calc.py": TEST + slow},
        {"calc.py": HEAD},
    )
    ran = empty_project.pytest(*GENERATE, "--ai-budget=15")
    assert ran.code == 0, ran.text
    assert empty_project.report()["timing"]["tests"] >= 5
    assert lines(empty_project) == (2, 1, 2)


@pytest.mark.slow
def test_a_unittest_case_with_a_set_up_is_amplified(empty_project: Any) -> None:
    test = (
        "import unittest\n\nimport calc\n\n\nclass TestF(unittest.TestCase):\n"
        "    def setUp(self):\n        self.box = calc.Box(3)\n\n"
        "    def test_f(self):\n        self.assertEqual(self.box.f(1), 4)\n"
    )
    box = "class Box:\n    def __init__(self, n):\n        self.n = n\n\n    def f(self, x):\n"
    change(
        empty_project,
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "calc.py": f"{box}        return self.n + x\n",
            "tests/test_calc.py": test,
        },
        {
            "calc.py": f"{box}        if x is None:\n            return self.n\n"
            "        return self.n + x\n"
        },
    )
    ran = empty_project.pytest(*GENERATE)
    assert ran.code == 0, ran.text
    assert lines(empty_project) == (2, 1, 2)


@pytest.mark.slow
def test_a_test_with_a_parametrized_fixture_is_material(empty_project: Any) -> None:
    test = (
        "import pytest\n\nfrom calc import f\n\n\n@pytest.fixture(params=[1, 2])\n"
        "def number(request):\n    return request.param\n\n\n"
        "def test_f(number):\n    assert f(number) == number\n"
    )
    change(
        empty_project,
        {"pytest.ini": "[pytest]\npythonpath = .\n", "calc.py": BASE, "tests/test_calc.py": test},
        {"calc.py": HEAD},
    )
    ran = empty_project.pytest(*GENERATE)
    assert ran.code == 0, ran.text
    assert len(empty_project.report()["selection"]["reasons"]) == 2
    assert lines(empty_project) == (2, 1, 2)


ASKING = "import sys\n\n\ndef line():\n    return sys.stdin.readline().strip()\n"
AGREED = """\
from asking import line


def agreed(word):
    print(word + "?")
    answer = line()
    return {}
"""


@pytest.mark.slow
def test_code_that_reads_what_is_typed_gets_something_typed(empty_project: Any) -> None:
    base, head = AGREED.format("answer"), AGREED.format("answer.upper()")
    change(
        empty_project,
        {"asking.py": ASKING, "agree.py": base, "tests/test_no.py": "import agree\n"},
        {"agree.py": head},
    )
    ran = empty_project.pytest(*GENERATE, "--ai-write=tests/ai")
    assert ran.code == 0, ran.text
    assert lines(empty_project) == (1, 0, 1)
    texts = [p.read_text() for p in (empty_project.root / "tests" / "ai").glob("test_*.py")]
    assert any("sys.stdin" in one for one in texts), texts
    assert not any("captured" in one for one in texts), texts
