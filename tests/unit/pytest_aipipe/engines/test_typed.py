from __future__ import annotations

import pytest

from pytest_aipipe.engines.source.typed import reads_input, with_input
from pytest_aipipe.generate.model import Candidate, Outcome

REFUSED = "OSError: pytest: reading from stdin while output is captured!  Consider using `-s`."


def test_a_run_that_nobody_typed_anything_for_is_known() -> None:
    assert reads_input(Outcome("raised", raised=REFUSED))


@pytest.mark.parametrize(
    "outcome",
    [Outcome("passed"), Outcome("raised", raised="OSError: no space left"), Outcome("timeout")],
)
def test_other_ends_ask_for_no_input(outcome: Outcome) -> None:
    assert not reads_input(outcome)


def test_a_word_a_consent_and_a_number_are_typed() -> None:
    plain = Candidate("construct", "test_ask", "def test_ask(capsys):\n    result = ask()\n")
    first, *others = with_input(plain)
    assert first.function == (
        "def test_ask(capsys, monkeypatch):\n"
        "    monkeypatch.setattr('sys.stdin', StringIO('text\\n'))\n"
        "    result = ask()\n"
    )
    assert first.prelude == ("from io import StringIO",)
    assert not first.mocked
    assert ["'y\\n'" in one.function or "'1\\n'" in one.function for one in others] == [True, True]


def test_a_method_of_unittest_has_no_fixture_to_type_with() -> None:
    source = "class TestAsk(TestCase):\n    def test_ask(self):\n        ask()\n"
    assert with_input(Candidate("amplify", "test_ask", source)) == []
