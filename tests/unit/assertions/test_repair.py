"""A test that expects what does not come is opened again, whole."""

from __future__ import annotations

from textwrap import dedent

from pytest_aipipe.assertions.repair import repaired
from pytest_aipipe.explore.fact import Fact
from pytest_aipipe.explore.trialed import Check, Raised, Trialed
from pytest_aipipe.generate.model import Candidate, Outcome


def _opened(function: str, line: int) -> str | None:
    """What is left of ``function`` once the block that begins at ``line`` met no error."""
    said = Raised("call", "Failed", "import pytest", "Failed", "DID NOT RAISE", line, None, True)
    trial = Trialed(Outcome("failed"), raised=said)
    made = repaired(Candidate("written", "test_it", dedent(function)), trial)
    return made.function if made else None


def test_what_looks_at_the_error_goes_with_the_block_that_expected_it() -> None:
    function = """\
        def test_it():
            box = make()
            with pytest.raises(ValueError) as caught:
                result = box.open()
            error = caught.value
            assert result == 3
            assert error.size == 1
            assert str(caught.value) == "no"
        """
    assert _opened(function, 3) == dedent(
        """\
        def test_it():
            box = make()
            result = box.open()
            assert result == 3
        """
    )


def test_a_block_that_binds_nothing_leaves_what_follows_it() -> None:
    function = """\
        def test_it():
            with pytest.raises(ValueError):
                caught = act()
            assert caught == 3
        """
    made = _opened(function, 2)
    assert made == "def test_it():\n    caught = act()\n    assert caught == 3\n"


def test_a_condition_under_which_the_error_is_looked_at_goes_whole() -> None:
    function = """\
        def test_it():
            for one in (1, 2):
                with pytest.raises(ValueError) as caught:
                    act(one)
                if one:
                    assert caught.value
        """
    made = _opened(function, 3)
    assert made is not None
    assert "caught" not in made
    assert "act(one)" in made


def _expected(kind: str, message: str, *, own: bool = False) -> str | None:
    """The test that expects an error which the code let through."""
    said = Raised("call", kind, "", kind, message, 2, ("shop.py", 3), False, own)
    made = repaired(
        Candidate("written", "test_it", "def test_it():\n    act()\n"),
        Trialed(Outcome("raised"), raised=said),
    )
    return made.function if made else None


def test_an_error_that_a_read_only_file_system_makes_is_not_stated() -> None:
    assert _expected("OSError", "[Errno 30] Read-only file system: 'shop.txt'") is None
    assert _expected("OSError", "[Errno 28] No space left on device") is not None


def test_a_name_that_the_test_itself_lacks_is_not_stated_though_the_code_passes_it_on() -> None:
    assert _expected("NameError", "name 'shop' is not defined", own=True) is None
    assert _expected("NameError", "name 'shop' is not defined") is not None
    assert _expected("ValueError", "closed", own=True) is not None


def test_a_block_that_the_test_leaves_by_an_error_is_expected_whole() -> None:
    function = "def test_it():\n    with opened() as shop:\n        raise ValueError('closed')\n"
    said = Raised("call", "ValueError", "", "ValueError", "closed", 3, ("shop.py", 3), False, True)
    trial = Trialed(Outcome("raised"), raised=said)
    made = repaired(Candidate("written", "test_it", function), trial)
    assert made is not None
    assert made.function == dedent(
        """\
        def test_it():
            with pytest.raises(ValueError, match="^closed$"):
                with opened() as shop:
                    raise ValueError('closed')
        """
    )


def _corrected(function: str, line: int, *facts: Fact) -> str | None:
    """What becomes of ``function`` once the assertion on ``line`` did not hold."""
    trial = Trialed(Outcome("failed"), checks=(Check(line, False, "==", facts),))
    made = repaired(Candidate("written", "test_it", dedent(function)), trial)
    return made.function if made else None


def test_an_assertion_states_what_the_call_in_it_gave_on_whichever_side() -> None:
    function = """\
        def test_it():
            box = make()
            assert box == box.copy().cut(3)
            assert box
        """
    fact = Fact('assert str(box.copy().cut(3)) == "ab"')
    assert _corrected(function, 3, fact) == dedent(
        """\
        def test_it():
            box = make()
            assert str(box.copy().cut(3)) == "ab"
            assert box
        """
    )


def test_a_call_of_which_nothing_can_be_stated_is_made_all_the_same() -> None:
    function = """\
        def test_it():
            box = make()
            assert expected == box.cut(3)
            assert box
        """
    weak = Fact("assert isinstance(box.cut(3), Box)", (), 1)
    assert _corrected(function, 3, weak) == dedent(
        """\
        def test_it():
            box = make()
            box.cut(3)
            assert box
        """
    )


def test_what_calls_nothing_goes_with_its_assertion() -> None:
    function = """\
        def test_it():
            box = make()
            assert len(box) == 3
            assert box
        """
    assert _corrected(function, 3) == "def test_it():\n    box = make()\n    assert box\n"
