"""Faults that the tests for the gaps let pass decide what else is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.generate.model import Candidate, Gap, Outcome, Scene
from pytest_aipipe.generate.run import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pytest_aipipe.generate.request import Request

SOURCE = """\
def grade(points):
    if points > 90:
        return "best"
    return "plain"


class Basket:
    def __init__(self):
        self.items = []
        self.total = 0

    def put(self, name, price):
        self.items.append(name)
        self.total = self.total + price * 2
        return self
"""


class Silent:
    def step(self, text: str, *, done: int, total: int, left: float) -> None: ...


class Written:
    """Proposes the same bodies for every gap, one at a time."""

    name = "written"

    def __init__(self, *bodies: str) -> None:
        self.bodies = bodies

    def propose(
        self, gap: Gap, scene: Scene
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        del gap, scene
        for n, body in enumerate(self.bodies):
            source = f"def test_shop_{n}():\n    {body}\n"
            yield [Candidate("literal", f"test_shop_{n}", source, ("import shop",))]


@pytest.mark.slow
def test_a_boundary_that_nothing_notices_is_worth_a_test(
    make_request: Callable[..., Request],
) -> None:
    engine = Written(
        "shop.grade(1)", "shop.grade(99)", "shop.grade(2)", "shop.grade(90)", "shop.grade(91)",
        "shop.Basket().put('a', 0)",
    )  # fmt: skip
    result = generate(make_request(SOURCE, budget=120.0), Silent(), engines=[engine])

    text = "\n".join(result.files.values())
    assert "shop.grade(90)" in text
    assert "shop.grade(2)" not in text  # notices nothing that shop.grade(1) does not
    assert sum(test.mutants for test in result.admitted) == result.mutants.total
    assert sum(test.killed for test in result.admitted) == result.mutants.killed


@pytest.mark.slow
def test_what_is_asserted_is_what_notices_faults(make_request: Callable[..., Request]) -> None:
    engine = Written(
        "shop.grade(1)", "shop.grade(99)", "basket = shop.Basket()\n    basket.put('a', 3)"
    )
    result = generate(make_request(SOURCE, budget=120.0), Silent(), engines=[engine])

    text = "\n".join(result.files.values())
    assert "basket.total == 6" in text
    assert 'basket.items == ["a"]' in text
    assert "isinstance" not in text


@pytest.mark.slow
def test_an_input_is_moved_to_the_edge_of_a_comparison_that_nothing_holds(
    make_request: Callable[..., Request],
) -> None:
    engine = Written("shop.grade(1)", "shop.grade(99)", "shop.Basket().put('a', 3)")
    result = generate(make_request(SOURCE, budget=120.0), Silent(), engines=[engine])

    text = "\n".join(result.files.values())
    assert "shop.grade(90)" in text
    assert "shop.grade(91)" in text
    assert not any("points > 90" in one for one in result.mutants.survivors)


FAILING = """\
class Declined(Exception):
    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


def pay(amount):
    if amount > 100:
        raise Declined("too much", amount - 100)
    return amount
"""


@pytest.mark.slow
def test_what_an_error_holds_is_asserted_where_its_message_does_not_tell_the_fault(
    make_request: Callable[..., Request],
) -> None:
    engine = Written("shop.pay(130)", "shop.pay(1)")
    result = generate(make_request(FAILING, budget=120.0), Silent(), engines=[engine])

    text = "\n".join(result.files.values())
    assert 'with pytest.raises(Declined, match="^too much$") as caught:' in text
    assert "assert caught.value.code == 30" in text
