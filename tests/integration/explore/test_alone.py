"""The gate's processes find what the user finds who runs the generated file by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.explore.paths import path_alone
from pytest_aipipe.gate.fresh import FreshRuns, Passed, Refused
from pytest_aipipe.generate.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SOURCE = "def price(n):\n    return 2 * n\n"
TEST = "import shop\n\n\ndef test_known():\n    assert shop.price(1) == 2\n"
HELPED = (
    "import shop\nfrom tools import two\n\n\ndef test_it():\n    assert shop.price(1) == two()\n"
)
PLAIN = "import shop\n\n\ndef test_it():\n    assert shop.price(1) == 2\n"

MakeRequest = Callable[..., Request]


def gated(request: Request, text: str) -> Passed | Refused:
    def make(seed: str, zone: str) -> Explorer:
        return Explorer(
            request, guards=False, bare=True, preimport=False, hash_seed=seed, zone=zone
        )

    with FreshRuns(request, make) as runs:
        return runs.alone(request.target / "test_made.py", text)


def in_session(request: Request) -> Request:
    """Return the request of a session that has collected the tests: their folder is on the path."""
    tests = request.root / "tests"
    (tests / "tools.py").write_text("def two():\n    return 2\n")
    return replace(request, python_path=(str(tests), *request.python_path))


def test_what_only_the_folder_of_other_tests_holds_is_refused(make_request: MakeRequest) -> None:
    request = in_session(make_request(SOURCE, TEST))
    refused = gated(request, HELPED)
    assert isinstance(refused, Refused)
    assert "No module named 'tools'" in refused.reason
    assert isinstance(gated(request, PLAIN), Passed)


LOCAL = """\
import time

import shop


def test_it():
    assert shop.price(time.localtime({at}).tm_hour) == 0
"""


def test_what_holds_in_one_time_zone_only_is_refused(make_request: MakeRequest) -> None:
    request = replace(make_request(SOURCE, TEST), environ={"PATH": os.defpath, "TZ": "UTC"})
    refused = gated(request, LOCAL.format(at=0))
    assert isinstance(refused, Refused)
    assert "does not pass in a fresh process" in refused.reason
    assert isinstance(gated(request, LOCAL.replace("localtime", "gmtime").format(at=0)), Passed)


def test_what_another_test_module_put_into_the_environment_is_not_found(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(SOURCE, TEST)
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")  # since pytest was started
    asking = "import os\n\nimport shop\n\n\ndef test_it():\n"
    asking += "    assert shop.price(1) == 2\n    assert os.environ.get('LC_CTYPE') != 'C.UTF-8'\n"
    assert request.environ.get("LC_CTYPE") != "C.UTF-8"
    assert isinstance(gated(request, asking), Passed)


def test_a_conftest_beside_it_puts_the_folder_on_the_path_as_it_does_for_the_user(
    make_request: MakeRequest,
) -> None:
    request = make_request(SOURCE, TEST, conftest="import pytest\n")
    assert isinstance(gated(in_session(request), HELPED), Passed)


def test_a_path_that_a_conftest_or_the_settings_add_is_found(make_request: MakeRequest) -> None:
    adding = "import sys, pathlib\nsys.path.append(str(pathlib.Path(__file__).parent / 'more'))\n"
    request = make_request(SOURCE, TEST, conftest=adding)
    for name, folder in (("tools", "tests/more"), ("extra", "libs")):
        (request.root / folder).mkdir()
        (request.root / folder / f"{name}.py").write_text("def two():\n    return 2\n")
    (request.root / "pytest.ini").write_text("[pytest]\npythonpath = libs\n")
    assert isinstance(gated(request, HELPED), Passed)
    assert isinstance(gated(request, HELPED.replace("tools", "extra")), Passed)


def test_what_the_environment_names_stays(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = in_session(make_request(SOURCE, TEST))
    monkeypatch.setenv("PYTHONPATH", str(request.root / "tests"))
    assert path_alone(request) == request.python_path
    assert isinstance(gated(request, HELPED), Passed)


def test_the_folder_that_the_changed_code_is_imported_from_stays(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    request = make_request(SOURCE, TEST)
    (request.root / "tests" / "__init__.py").touch()  # now pytest puts the top on the path
    assert path_alone(request) == (str(request.root),)
    elsewhere = replace(request, modules={"src/shop/__init__.py": "shop"})
    assert path_alone(elsewhere) == ()
    source = replace(elsewhere, python_path=(str(request.root / "src"), str(request.root)))
    assert path_alone(source) == (str(request.root / "src"),)


def test_importing_without_the_path_leaves_it_as_it_is(make_request: MakeRequest) -> None:
    request = in_session(make_request(SOURCE, TEST))
    request = replace(request, pytest_args=(*request.pytest_args, "--import-mode=importlib"))
    assert path_alone(request) == request.python_path


def test_the_folder_above_a_package_is_the_one_that_counts(tmp_path: Path) -> None:
    from pytest_aipipe.explore.paths import above_package

    inner = tmp_path / "tests" / "unit"
    inner.mkdir(parents=True)
    (inner / "__init__.py").touch()
    assert above_package(inner) == tmp_path / "tests"
