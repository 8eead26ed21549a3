"""What is said where the child that tries candidates does not come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_core.errors import SurroundingsError
from pytest_aipipe.explore import explorer
from pytest_aipipe.explore.wire import Closed, Message

if TYPE_CHECKING:
    from collections.abc import Callable


class Child:
    """Answers a start as ``answer`` does."""

    stderr = b"its last words"

    def __init__(self, answer: Callable[[], Message | None]) -> None:
        self._answer = answer

    def receive(self, _timeout: float) -> Message | None:
        return self._answer()

    def close(self) -> None:
        pass


def gone() -> Message | None:
    raise Closed


@pytest.mark.parametrize(
    ("answer", "words", "where", "hint"),
    [
        (lambda: None, "within 60 seconds", "", "less busy"),
        (gone, "did not come up", "its last words", "whether it collects"),
        (lambda: {"ready": False}, "did not come up", "its last words", "whether it collects"),
    ],
)
def test_a_child_that_is_late_is_told_from_one_that_cannot(
    answer: Callable[[], Message | None], words: str, where: str, hint: str
) -> None:
    one = explorer.Explorer.__new__(explorer.Explorer)
    one._child = Child(answer)  # type: ignore[assignment]
    one._serving = False
    one.begin = lambda: None  # type: ignore[method-assign]
    with pytest.raises(SurroundingsError) as caught:
        one.start()
    assert caught.value.what.endswith(words)
    assert hint in caught.value.hint
    assert caught.value.where == where
