from __future__ import annotations

from pytest_aipipe.select.evidence import Found
from pytest_aipipe.select.order import ordered
from pytest_aipipe.select.testmap import Known

PASSED = Known("ppp", 0.01)


def order(
    *nodeids: str, known: dict[str, Known] | None = None, found: Found | None = None
) -> list[str]:
    every = {**dict.fromkeys(nodeids, PASSED), **(known or {})}
    return ordered(nodeids, every, found or Found())


def test_what_failed_last_comes_first() -> None:
    assert (
        order("a.py::one", "b.py::two", known={"b.py::two": Known("ppf", 0.01)})[0] == "b.py::two"
    )


def test_the_nearer_to_the_change_the_sooner() -> None:
    found = Found(close={"a.py::one": 0.1, "b.py::two": 0.9})
    assert order("a.py::one", "b.py::two", found=found) == ["b.py::two", "a.py::one"]


def test_of_two_alike_the_quicker_comes_first() -> None:
    known = {"a.py::one": Known("p", 2.0)}
    assert order("a.py::one", "b.py::two", known=known) == ["b.py::two", "a.py::one"]


def test_of_two_that_run_the_change_the_one_that_runs_little_else_comes_first() -> None:
    found = Found(close={"a.py::one": 1, "b.py::two": 1}, wide={"a.py::one": 400, "b.py::two": 4})
    assert order("a.py::one", "b.py::two", found=found)[0] == "b.py::two"


def test_the_tests_of_a_class_and_the_rows_of_a_table_keep_their_order_and_stay_together() -> None:
    found = Found(close={"a.py::T::two": 1.0, "a.py::f[2]": 0.9})
    names = ("a.py::T::one", "a.py::g", "a.py::f[1]", "a.py::T::two", "a.py::f[2]")
    assert order(*names, found=found) == [
        "a.py::T::one", "a.py::T::two", "a.py::f[1]", "a.py::f[2]", "a.py::g",
    ]  # fmt: skip


def test_the_functions_of_a_file_stay_together() -> None:
    found = Found(close={"a.py::one": 1.0, "b.py::two": 0.5})
    assert order("a.py::one", "b.py::two", "a.py::three", found=found)[:2] == [
        "a.py::one",
        "a.py::three",
    ]


def test_a_test_that_nobody_has_seen_pass_comes_before_those_that_passed() -> None:
    assert ordered(["a.py::old", "b.py::new"], {"a.py::old": PASSED}, Found())[0] == "b.py::new"
