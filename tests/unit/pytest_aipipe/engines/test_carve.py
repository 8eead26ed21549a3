from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_aipipe.engines.local import LocalEngine
from pytest_aipipe.engines.techniques.carve import Carve
from pytest_aipipe.generate.model import Candidate, RecordedCall

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = """
    class Basket:
        def __init__(self, rows):
            self.rows = rows

        def total(self, factor=1, *, rounded=False):
            if factor == 7:
                return 'seven'
            if rounded:
                return round(sum(self.rows))
            return sum(self.rows) * factor

        def first(self):
            return self.rows[0]

    def add(a, b):
        if a == 12:
            return 'dozen'
        return a + b
"""


def recorded(
    qualname: str,
    *args: str | None,
    receiver: str | None = None,
    kwargs: Mapping[str, str | None] | None = None,
    lines: frozenset[int] = frozenset(),
) -> RecordedCall:
    imports = ("from shop import Basket",) if receiver else ()
    return RecordedCall(
        "shop",
        qualname,
        receiver,
        args,
        kwargs or {},
        imports,
        "tests/test_shop.py::test_it",
        lines,
    )


def proposed(here: Any, symbol: str, *texts: str) -> list[Candidate]:
    found: list[Candidate] = []
    proposals = Carve().propose(here.situation(symbol, *texts))
    with suppress(StopIteration):
        batch = next(proposals)
        while True:
            found += batch
            batch = proposals.send([here.run(one) for one in batch])
    return found


def test_a_recorded_call_is_replayed_as_it_was(world: Any) -> None:
    here = world(SOURCE)
    here.calls = [recorded("add", "1", "2")]
    first = proposed(here, "add", "'dozen'")[0]
    assert "add(1, 2)" in first.function
    assert "from shop import add" in first.prelude
    assert first.origin == "tests/test_shop.py::test_it"


def test_an_argument_is_replaced_by_what_the_guard_asks_for(world: Any) -> None:
    here = world(SOURCE)
    here.calls = [recorded("add", "1", "2")]
    candidate = here.close("add", "'dozen'", engine=LocalEngine([Carve()]))
    assert "add(12, 2)" in candidate.function


def test_a_named_argument_is_varied_under_its_name(world: Any) -> None:
    here = world(SOURCE)
    here.calls = [recorded("Basket.total", receiver="Basket([1, 2])", kwargs={"factor": "2"})]
    candidate = here.close("Basket.total", "'seven'", engine=LocalEngine([Carve()]))
    assert "factor=7" in candidate.function
    assert "Basket([1, 2])" in candidate.function


def test_a_receiver_is_used_for_other_methods_of_its_class(world: Any) -> None:
    here = world(SOURCE)
    here.calls = [recorded("Basket.total", receiver="Basket([5])")]
    candidate = here.close("Basket.first", "self.rows[0]", engine=LocalEngine([Carve()]))
    assert "Basket([5])" in candidate.function
    assert ".first()" in candidate.function


def test_the_call_that_came_nearest_is_replayed_first(world: Any) -> None:
    here = world(SOURCE)
    near = frozenset({here.line("if a == 12")})
    here.calls = [recorded("add", "3", "4"), recorded("add", "5", "6", lines=near)]
    assert "add(5, 6)" in proposed(here, "add", "'dozen'")[0].function


def test_a_call_with_an_argument_that_cannot_be_written_is_left_out(world: Any) -> None:
    here = world(SOURCE)
    here.calls = [recorded("add", "1", None)]
    assert proposed(here, "add", "'dozen'") == []


def test_calls_of_strangers_are_left_out(world: Any) -> None:
    here = world(SOURCE)
    here.calls = [recorded("Basket.total", receiver="Basket([1])")]
    assert proposed(here, "add", "'dozen'") == []
