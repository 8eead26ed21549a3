"""Trees of source that several threads ask for at once."""

from __future__ import annotations

import ast
import gc
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Path(syntax.__file__).with_name("whole.py").read_text("utf-8")


class Lingering:
    """Is in a cycle, and runs some code when it is collected: threads change there."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


@pytest.fixture
def hasty() -> Iterator[None]:
    """Let threads change, and garbage be collected, far more often than usual."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-5)
    gc.set_threshold(200)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)


@pytest.mark.parametrize("read", [syntax.parse, lambda text: syntax.literal(repr([text, (1, 2)]))])
def test_threads_that_parse_at_once_do_not_disturb_each_other(
    hasty: None, read: Callable[[str], object]
) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        for _ in range(40):
            for _ in range(300):
                Lingering()
            try:
                read(SOURCE)
            except SystemError as error:
                errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert errors == []


def test_trees_and_values_are_those_of_ast() -> None:
    assert ast.dump(syntax.parse("a = 1\n")) == ast.dump(ast.parse("a = 1\n"))
    assert ast.unparse(syntax.parse("a + 1", mode="eval")) == "a + 1"
    assert syntax.literal("[1, {'a': None}]") == [1, {"a": None}]
    with pytest.raises(SyntaxError):
        syntax.parse("a =")
    with pytest.raises(ValueError, match="malformed"):
        syntax.literal("a")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="asks for a fork")
def test_a_child_parses_though_a_thread_of_its_parent_was_parsing_when_it_was_born() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with syntax._TURN.lock:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    child = os.fork()
    if not child:
        os._exit(0 if syntax._TURN.lock.acquire(timeout=10) else 1)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join()

    assert os.waitstatus_to_exitcode(status) == 0
