from __future__ import annotations

from pytest_aipipe.assertions.clash import without_clash
from pytest_aipipe.explore.fact import Fact
from pytest_aipipe.generate.model import Candidate


def candidate(*prelude: str) -> Candidate:
    return Candidate("amplify", "test_a", "def test_a():\n    result = f()\n", prelude)


def test_a_module_whose_name_is_taken_by_its_class_gives_its_parts_instead() -> None:
    fact = Fact("assert result == datetime.datetime(2013, 9, 6)", ("import datetime",))

    mended = without_clash(candidate("from datetime import datetime"), fact)

    assert mended.code == "assert result == datetime(2013, 9, 6)"
    assert mended.imports == ("from datetime import datetime",)


def test_a_part_whose_name_is_taken_as_well_is_reached_through_another_name() -> None:
    fact = Fact("assert result == datetime.date(2013, 9, 6)", ("import datetime",))

    mended = without_clash(candidate("from datetime import datetime", "def date(): pass"), fact)

    assert mended.code == "assert result == datetime_module.date(2013, 9, 6)"
    assert mended.imports == ("import datetime as datetime_module",)


def test_a_class_of_another_module_gets_another_name() -> None:
    fact = Fact("assert isinstance(Item, Item)", ("from shop import Item",))

    mended = without_clash(candidate("from store import Item"), fact)

    assert mended.code == "assert isinstance(Item, expected_Item)"
    assert mended.imports == ("from shop import Item as expected_Item",)


def test_what_does_not_clash_stays_as_it_is() -> None:
    fact = Fact("assert result == datetime.date(2013, 9, 6)", ("import datetime",))

    assert without_clash(candidate("import datetime"), fact) == fact
    assert without_clash(candidate("import os"), fact) == fact


def test_a_local_that_bears_its_class_s_name_does_not_hide_the_class() -> None:
    fact = Fact("assert isinstance(item, item)", ("from shop import item",))
    test = Candidate("construct", "test_a", "def test_a():\n    item = shop.item(1)\n")

    mended = without_clash(test, fact)

    assert mended.code == "assert isinstance(item, expected_item)"
    assert mended.imports == ("from shop import item as expected_item",)
