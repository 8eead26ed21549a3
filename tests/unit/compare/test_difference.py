from __future__ import annotations

from typing import Any

import pytest

from pytest_aipipe.compare.difference import differences, in_one_tree, meddles, seen_again
from pytest_aipipe.compare.model import Kind, Pair
from pytest_aipipe.explore.fact import Fact
from pytest_aipipe.explore.trialed import Check, Raised, Trialed
from pytest_aipipe.generate.model import Outcome

IN_CODE = ("pkg/shapes.py", 3)


def ran(status: str = "passed", **kwargs: Any) -> Trialed:
    return Trialed(Outcome(status), **kwargs)


def raised(name: str, text: str = "", at: tuple[str, int] | None = IN_CODE) -> Trialed:
    return ran("raised", raised=Raised("call", name, "", name, text, 2, at, failed=False))


def worth(*codes: str, name: str = "result") -> Trialed:
    return ran(facts={name: tuple(Fact(code) for code in codes)})


def test_equal_runs_do_not_differ() -> None:
    assert differences(Pair(worth("assert result == 1"), worth("assert result == 1"))) == ()


def test_a_value_differs() -> None:
    (found,) = differences(Pair(worth("assert result == 1"), worth("assert result == 2")))
    assert (found.kind, found.where, found.base, found.head) == (Kind.VALUE, "result", "1", "2")


def test_a_type_differs() -> None:
    pair = Pair(worth("assert isinstance(result, A)"), worth("assert isinstance(result, B)"))
    assert differences(pair)[0].kind is Kind.TYPE


def test_an_error_comes_before_a_value() -> None:
    base = Trialed(Outcome("passed"), stdout="a")
    head = Trialed(Outcome("raised"), raised=raised("ValueError", "no").raised, stdout="b")
    found = differences(Pair(base, head))
    assert [d.kind for d in found] == [Kind.ERROR, Kind.OUTPUT]
    assert (found[0].base, found[0].head) == ("no error", "ValueError: no")


def test_another_error_and_another_message_differ() -> None:
    assert differences(Pair(raised("KeyError", "a"), raised("ValueError", "a")))
    assert differences(Pair(raised("KeyError", "a"), raised("KeyError", "b")))
    assert not differences(Pair(raised("KeyError", "a"), raised("KeyError", "a")))


def test_what_the_sandbox_does_not_let_be_written_says_nothing() -> None:
    refused = raised("OSError", "[Errno 30] Read-only file system: 'shop.txt'")
    assert differences(Pair(refused, ran())) == ()
    assert differences(Pair(ran(), refused)) == ()


def test_a_mistake_of_the_test_itself_says_nothing() -> None:
    base = raised("TypeError", "f() takes 1 positional argument but 2 were given", at=None)
    assert differences(Pair(base, ran())) == ()


@pytest.mark.parametrize("status", ["error", "skipped", "crashed", "timeout"])
def test_a_base_that_did_not_run_to_its_end_is_not_compared(status: str) -> None:
    assert differences(Pair(ran(status), raised("ValueError"))) == ()


@pytest.mark.parametrize("status", ["error", "skipped", "crashed"])
def test_a_head_that_could_not_be_run_is_not_compared(status: str) -> None:
    assert differences(Pair(worth("assert result == 1"), ran(status))) == ()


def test_a_head_that_does_not_end_differs() -> None:
    (found,) = differences(Pair(ran(), ran("timeout")))
    assert found.kind is Kind.END


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ("<A at 0x7f00aa>", "<A at 0x7f00bb>"),
        ("in /tmp/base/a.py", "in /tmp/head/a.py"),
        ("line 12", "line 14"),
        ("took 0.5 s", "took 0.7 s"),
    ],
)
def test_addresses_paths_line_numbers_and_durations_are_no_difference(base: str, head: str) -> None:
    assert differences(Pair(raised("ValueError", base), raised("ValueError", head))) == ()


def test_a_text_that_is_only_longer_by_the_trees_path_is_no_difference() -> None:
    pair = Pair(worth("assert len(path) == 83"), worth("assert len(path) == 67"))
    assert differences(pair, shift=16) == ()
    assert differences(pair, shift=0)
    assert differences(pair, shift=5)


def test_warnings_and_output_differ() -> None:
    gone = Pair(ran(warnings=(("builtins", "DeprecationWarning", "old"),)), ran())
    assert differences(gone)[0].kind is Kind.WARNING
    printed = Pair(ran(stdout="a"), ran(stdout="b"))
    assert differences(printed)[0].where == "stdout"


def test_warnings_of_pytest_are_left_out() -> None:
    warned = ran(warnings=(("pytest", "PytestUnraisableExceptionWarning", "x"),))
    assert differences(Pair(warned, ran())) == ()


def test_an_assertion_that_holds_on_one_side_only_differs() -> None:
    base = ran(checks=(Check(3, held=True, operator="=="),))
    facts = (Fact("assert f(1) == 2"),)
    head = ran("failed", checks=(Check(3, held=False, operator="==", facts=facts),))
    (found,) = differences(Pair(base, head))
    assert (found.where, found.base, found.head) == ("line 3", "the assertion holds", "2")


def test_what_a_second_run_does_not_show_again_is_chance() -> None:
    pair = Pair(worth("assert result == 1"), worth("assert result == 2"))
    other = Pair(worth("assert result == 7"), worth("assert result == 2"))
    assert seen_again(differences(pair), differences(pair)) == differences(pair)
    assert seen_again(differences(pair), differences(other)) == ()


def test_one_difference_that_stays_is_kept_beside_one_of_chance() -> None:
    def both(base: int, chance: int) -> Trialed:
        facts = {"result": (Fact(f"assert result == {base}"),)}
        return ran(facts={**facts, "luck": (Fact(f"assert luck == {chance}"),)})

    first = differences(Pair(both(1, 11), both(2, 12)))
    second = differences(Pair(both(1, 13), both(2, 14)))
    assert [d.where for d in seen_again(first, second)] == ["result"]


def test_a_call_that_is_wrong_on_both_sides_says_nothing() -> None:
    base, head = raised("TypeError", "a"), raised("AttributeError", "b")
    assert differences(Pair(base, head)) == ()


def test_an_error_that_the_code_raises_on_purpose_is_told_apart_from_an_accident() -> None:
    base, head = raised("TypeError", "must be str"), raised("TypeError", "no len()")
    purpose = {"pkg/shapes.py": frozenset({3})}
    (found,) = differences(Pair(base, head), raises=(purpose, {}))
    assert not found.weak


def test_an_accident_on_the_base_alone_is_marked() -> None:
    (found,) = differences(Pair(raised("TypeError", "a"), ran()))
    assert found.weak
    (found,) = differences(Pair(ran(), raised("TypeError", "a")))
    assert not found.weak


def test_what_only_the_base_lets_one_look_at_differs() -> None:
    (found,) = differences(Pair(worth("assert list(result) == [1]"), worth()))
    assert (found.base, found.head) == ("[1]", "cannot be looked at")
    ended = ran(facts={})
    assert differences(Pair(worth("assert result.name == 'a'", name="result.name"), ended))
    assert not differences(Pair(ended, worth("assert result == 1")))


def test_the_folder_of_the_tree_is_no_difference_and_other_paths_are() -> None:
    def seen(path: str) -> Trialed:
        return ran(facts={"result": (Fact(f"assert result == {path!r}"),)}, stdout=path)

    same = Pair(seen("/r/.aipipe/base/1/a.py"), seen("/r/a.py"))
    assert differences(in_one_tree(same, "/r/.aipipe/base/1", "/r")) == ()
    other = Pair(seen("http://a/b"), seen("http://a/c"))
    assert differences(in_one_tree(other, "/r/.aipipe/base/1", "/r"))


def test_a_duration_is_noise_in_the_output_and_a_value_otherwise() -> None:
    assert differences(Pair(ran(stdout="took 3 s"), ran(stdout="took 4 s"))) == ()
    assert differences(Pair(worth("assert result == '3 s'"), worth("assert result == '4 s'")))


def test_addresses_are_no_difference_however_they_are_written() -> None:
    base, head = (
        worth("assert result == 139817804466320"),
        worth("assert result == 140367574207184"),
    )
    assert differences(Pair(base, head)) == ()
    assert differences(Pair(worth("assert result == 12"), worth("assert result == 13")))


def test_to_set_a_private_attribute_is_to_meddle() -> None:
    assert meddles("def test():\n    a._width = 1\n    a.b._c = 2\n")
    assert not meddles("def test():\n    a.width = 1\n    self._x = 1\n    y = a._width\n")


def test_what_is_left_of_an_argument_is_told_as_such() -> None:
    base = worth("assert argument == [3, 1]", name="argument")
    head = worth("assert argument == [1, 3]", name="argument")
    (found,) = differences(Pair(base, head))
    assert (found.kind, found.base, found.head) == (Kind.ARGUMENT, "[3, 1]", "[1, 3]")
