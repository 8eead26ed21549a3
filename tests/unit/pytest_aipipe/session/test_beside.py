from __future__ import annotations

import threading

import pytest

from pytest_aipipe.session.beside import Beside

PATIENCE = 30.0


def test_work_goes_on_beside_who_began_it() -> None:
    go_on = threading.Event()

    def work(_beside: Beside[bool]) -> bool:
        return go_on.wait(PATIENCE)

    beside = Beside(work)
    go_on.set()
    assert beside.result()


def test_what_the_work_raises_is_raised_where_its_result_is_asked_for() -> None:
    def work(_beside: Beside[None]) -> None:
        raise LookupError("no base")

    beside = Beside(work)
    beside.wait()
    with pytest.raises(LookupError, match=r"^no base$"):
        beside.result()


def test_work_that_is_stopped_is_told_to_halt_and_gives_what_it_has() -> None:
    begun, never = threading.Event(), threading.Event()

    def work(beside: Beside[str]) -> str:
        begun.set()
        while not beside.is_halted:
            never.wait(0.001)
        return "a part"

    beside = Beside(work)
    assert begun.wait(PATIENCE)
    beside.stop()
    assert beside.result() == "a part"
    beside.stop()  # a second time changes nothing


def test_work_is_told_that_it_is_waited_for() -> None:
    never = threading.Event()

    def work(beside: Beside[str]) -> str:
        before = beside.is_awaited
        while not beside.is_awaited:
            never.wait(0.001)
        return f"{before} {beside.is_halted}"

    beside = Beside(work)
    never.wait(0.05)
    beside.wait()
    assert beside.result() == "False False"
