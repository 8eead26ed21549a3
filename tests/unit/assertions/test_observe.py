"""Which values a test asserts."""

from __future__ import annotations

import pytest

from pytest_aipipe.assertions.observe import asserted, with_all_results
from pytest_aipipe.explore.fact import Fact
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.model import Candidate, Outcome


def _seen(**facts: str) -> Trialed:
    told: dict[str, tuple[Fact, ...]] = {name: (Fact(code),) for name, code in facts.items()}
    return Trialed(Outcome("passed"), facts=told)


@pytest.mark.parametrize(
    "statement", ["box['a']['b'] = 3", "box.size = 3", "del box['a']", "box['a'] += 1"]
)
def test_what_the_last_statement_changed_is_asserted(statement: str) -> None:
    function = f"def test_it():\n    box = make()\n    {statement}\n"
    candidate = Candidate("written", "test_it", function)
    made = asserted(candidate, _seen(box="assert box == {'a': 1}"), has=False)
    assert made.function.splitlines()[-1].strip() == "assert box == {'a': 1}"


def test_a_file_that_a_test_makes_is_not_asserted_on() -> None:
    function = "def test_it(tmp_path):\n    file.write_text('one')\n    act(file)\n    last()\n"
    made = with_all_results(Candidate("written", "test_it", function))
    lines = [line.strip() for line in made.function.splitlines()]
    assert lines[1] == "file.write_text('one')"
    assert lines[2].endswith(" = act(file)")
    assert lines[2] != "act(file)"
