"""Without --ai-diff the plugin is the standard library and pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Any

PROGRAM = """
import sys, json
import pytest
before = set(sys.modules)
import pytest_aipipe.plugin
code = pytest.main(["-q", "-p", "pytest_aipipe.plugin", "-p", "no:cacheprovider", *sys.argv[1:]])
new = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
ours = sorted(name for name in sys.modules if name.startswith(("pytest_aipipe", "aipipe_core")))
print("\\n" + json.dumps({"new": new, "ours": ours, "code": int(code)}))
"""


def run(project: Any, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, *arguments],
        cwd=project.root,
        env={**project.environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_without_the_flag_only_the_option_table_and_the_hooks_are_loaded(project: Any) -> None:
    seen = run(project, "--co")
    assert seen["code"] == 0
    assert seen["ours"] == [
        "pytest_aipipe",
        "pytest_aipipe.flags",
        "pytest_aipipe.hookspecs",
        "pytest_aipipe.plugin",
    ]
    foreign = set(seen["new"]) - set(sys.stdlib_module_names)
    assert foreign <= {"pytest_aipipe", "_pytest", "calc", "test_calc", "test_other", "conftest"}


def test_with_the_flag_the_rest_is_loaded(project: Any) -> None:
    seen = run(project, "--co", "--ai-diff")
    assert seen["code"] == 0
    assert "pytest_aipipe.session.host" in seen["ours"]


def test_help_and_version_do_not_start_it(project: Any) -> None:
    for flag in ("--help", "--version"):
        assert "pytest_aipipe.session" not in run(project, "--ai-diff", flag)["ours"]


@pytest.mark.slow
def test_with_the_flag_and_no_model_set_up_the_openai_package_is_not_loaded(project: Any) -> None:
    seen = run(project, "--ai-diff", "--ai-budget=4")
    assert seen["code"] == 0
    assert "openai" not in seen["new"]
