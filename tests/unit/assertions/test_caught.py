from __future__ import annotations

import pytest

from pytest_aipipe.assertions.caught import with_caught, without_idle_caught
from pytest_aipipe.generate.model import Candidate

EXPECTING = 'def test_pay():\n    cart = Cart()\n    with pytest.raises(Declined, match="^no \\\\(x\\\\)$"):\n        cart.pay()\n'


def of(function: str) -> Candidate:
    return Candidate("literal", "test_pay", function)


def test_the_expected_error_is_bound_and_observed() -> None:
    found = with_caught(of(EXPECTING))
    assert (
        '    with pytest.raises(Declined, match="^no \\\\(x\\\\)$") as caught:\n' in found.function
    )
    assert found.observe == ("caught.value",)
    assert found.function.count("\n") == EXPECTING.count("\n")


@pytest.mark.parametrize(
    "function",
    [
        EXPECTING + "    assert cart.open\n",
        EXPECTING.replace("):\n        cart", ") as error:\n        cart"),
        EXPECTING.replace("pytest.raises", "pytest.warns"),
        "def test_pay():\n    assert pay()\n",
        "class TestPay:\n    pass\n",
    ],
)
def test_anything_else_stays_as_it_is(function: str) -> None:
    assert with_caught(of(function)) == of(function)


def test_a_name_that_is_taken_is_not_used() -> None:
    taken = EXPECTING.replace("cart", "caught")
    assert " as caught_error:" in with_caught(of(taken)).function


def test_a_name_that_nothing_reads_goes_again() -> None:
    bound = with_caught(of(EXPECTING))
    assert without_idle_caught(bound).function == EXPECTING
    read = of(bound.function + "    assert caught.value.code == 3\n")
    assert without_idle_caught(read) == read
