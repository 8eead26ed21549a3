from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.generate.run import generate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_aipipe.generate.request import Request

SOURCE = """\
class Cart:
    def __init__(self):
        self.rows = []

    def add(self, name, amount=1):
        if amount < 1:
            raise ValueError("nothing to add")
        self.rows.append((name, amount))
        return len(self.rows)


def grade(points, strict=False):
    if strict and points == 60:
        return "edge"
    if points > 90:
        return "best"
    return "plain"
"""


class Silent:
    def step(self, text: str, *, done: int, total: int, left: float) -> None: ...


@pytest.mark.slow
def test_the_same_request_gives_the_same_tests(make_request: Callable[..., Request]) -> None:
    request = make_request(SOURCE, "def test_known():\n    pass\n", budget=300.0)
    first, second = (generate(request, Silent()) for _ in range(2))

    assert first.files
    assert not first.left, first.left  # an end by time would not be the same
    assert dict(first.files) == dict(second.files)
    assert [(one.name, one.technique, one.mutants, one.killed) for one in first.admitted] == [
        (one.name, one.technique, one.mutants, one.killed) for one in second.admitted
    ]
    assert sum(one.mutants for one in first.admitted) > 0
