"""Calls that tests make, as expressions that stand alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.engines.source.usages import usages
from pytest_aipipe.engines.source.values import FUNCTIONS, TEXTS, by_name

if TYPE_CHECKING:
    from tests.unit.pytest_aipipe.engines.conftest import WorldOf


def test_what_partial_binds_is_what_a_call_passes(world: WorldOf) -> None:
    made = world("class Till:\n    def __init__(self, fee, name=''):\n        self.fee = fee")
    made.knows(
        """
        import functools
        from functools import partial
        from shop import Till
        FACTORIES = [partial(Till, 3), functools.partial(Till, fee=4), partial()]
        def test_it(till):
            made = partial(Till, till)
        """
    )
    found = usages(made.situation("Till.__init__", "self.fee = fee"), "Till")
    assert [value.expr for value in found] == ["Till(3)", "Till(fee=4)"]
    assert found[0].imports == ("from shop import Till",)


@pytest.mark.parametrize("name", ["secret_key", "private_key", "auth_token"])
def test_a_key_that_is_kept_secret_is_a_text(name: str) -> None:
    assert by_name(name) == TEXTS


def test_a_key_to_sort_by_is_a_function() -> None:
    assert by_name("key") == by_name("sort_key") == FUNCTIONS
