"""The prediction table against real BuildKit: no false hit, nothing wrong, few abstentions."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

# Parametrising happens before any fixture is made, so the cases are read here.
_SPEC = importlib.util.spec_from_file_location(
    "build_conftest", Path(__file__).with_name("conftest.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
_CONFTEST = importlib.util.module_from_spec(_SPEC)
sys.modules["build_conftest"] = _CONFTEST  # a dataclass looks its module up
_SPEC.loader.exec_module(_CONFTEST)
CASES = _CONFTEST.load_runner().load_cases()
QUICK = [case for case in CASES if case.quick][::4]
OTHERS = [case for case in CASES if case not in QUICK]
# All of them take a quarter of an hour; bench/build_cases.py prints that table. A tenth is run
# here, spread over every rule, so that a slip in any of them shows.
SAMPLE = OTHERS if os.environ.get("AIPIPE_ALL_CASES") == "1" else OTHERS[::10]


def assert_right(rows: list[Any]) -> None:
    wrong = [row for row in rows if row.outcome in ("wrong", "false hit")]
    assert rows
    assert not wrong, "\n".join(
        f"{row.step}: predicted {row.verdict}, was {row.fact} ({row.cause})" for row in wrong
    )


def test_the_table_has_enough_cases_and_no_name_twice() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.docker
@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_a_case_is_predicted_as_buildkit_does_it(case: Any, bench: Any) -> None:
    assert_right(bench.run(case))


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_every_other_case_is_predicted_as_buildkit_does_it(case: Any, bench: Any) -> None:
    assert_right(bench.run(case))
