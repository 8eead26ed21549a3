"""A receiver's local name hides nothing that the test still needs."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_aipipe.engines.source.invoke import bound_by
from pytest_aipipe.engines.techniques.construct import Construct
from pytest_aipipe.engines.techniques.sequences import Sequences

BOX = """
    class {name}:
        def __init__(self, size=0):
            self.size = size

        def cut(self, deep=False):
            if deep is True:
                self.size = None
            return self
    """


@pytest.mark.parametrize("technique", [Construct(), Sequences()])
def test_an_object_is_not_called_like_the_module_that_makes_it(world: Any, technique: Any) -> None:
    tests = "import shop\n\ndef test_it():\n    assert shop.Shop(3).cut()\n"
    here = world(BOX.format(name="Shop")).knows(tests, "test_it")
    situation = here.situation("Shop.cut", "self.size = None")

    made = [one for batch in technique.propose(situation) for one in batch]

    assert any("subject = shop.Shop(3)" in one.function for one in made)
    assert not any("    shop = shop." in one.function for one in made)


def test_a_class_in_small_letters_is_made_as_well(world: Any) -> None:
    here = world(BOX.format(name="box"))

    here.close("box.cut", "self.size = None")

    assert "subject = box(" in here.tried[-1].function


def test_where_nothing_is_hidden_the_object_has_the_name_of_its_class(world: Any) -> None:
    here = world(BOX.format(name="Box"))

    here.close("Box.cut", "self.size = None")

    assert "box = Box(" in here.tried[-1].function


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("import shop.cart", {"shop"}),
        ("import shop.cart as cart, os", {"cart", "os"}),
        ("from shop import cart as box, till", {"box", "till"}),
        ("shop = 3", set()),
        ("not python", set()),
    ],
)
def test_what_an_import_binds_is_known(statement: str, names: set[str]) -> None:
    assert bound_by(statement) == names
