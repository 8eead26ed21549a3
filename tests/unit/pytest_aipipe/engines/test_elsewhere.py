"""What a hint names is made as the project makes it, wherever it is defined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.module import ModuleView, view
from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.elsewhere import held, hinted
from pytest_aipipe.engines.source.values import Value
from pytest_aipipe.engines.techniques.construct import Construct

if TYPE_CHECKING:
    from pathlib import Path

SHOP = """
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stock import Stock

def count(stock: "Stock", at: str):
    if at is None:
        return stock.missing(at)
    return stock.size
"""
STOCK = """
import abc
import enum
from dataclasses import dataclass

from .place import Place

class Kind(enum.Enum):
    BIG = 1

class Shelf(abc.ABC):
    @abc.abstractmethod
    def put(self): ...

@dataclass
class Line:
    text: str
    kind: Kind
    size: int = 3

class Stock:
    def __init__(self, place: Place, line: Line, *, size: int, name=None, **more):
        self.size = size

class Endless:
    def __init__(self, inner: "Endless"):
        pass
"""
PLACE = "class Home:\n    def __init__(self, text: str):\n        pass\n\nclass Place(Home):\n    pass\n"


@pytest.fixture
def shop(tmp_path: Path) -> ModuleView:
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in (("__init__", ""), ("till", SHOP), ("stock", STOCK), ("place", PLACE)):
        (folder / f"{name}.py").write_text(text)
    found = view("shop/stock.py", "shop.stock", STOCK)
    assert found is not None
    return found


def _made(module: ModuleView, hint: str, root: Path) -> str | None:
    value = hinted(module, syntax.parse(hint, mode="eval").body, root)
    return value.expr if value is not None else None


@pytest.mark.parametrize(
    ("hint", "made"),
    [
        ("Stock", "Stock(Place('text'), Line('text', Kind.BIG), size=1)"),
        ("'Stock | None'", "Stock(Place('text'), Line('text', Kind.BIG), size=1)"),
        ("Optional[Line]", "Line('text', Kind.BIG)"),
        ("Place", "Place('text')"),
        ("Kind", "Kind.BIG"),
        ("Shelf", None),
        ("list[Stock]", None),
        ("str", None),
        ("Unknown", None),
        ("'not python'", None),
    ],
)
def test_an_instance_gets_what_its_constructor_asks_for(
    shop: ModuleView, tmp_path: Path, hint: str, made: str | None
) -> None:
    assert _made(shop, hint, tmp_path) == made


def test_one_that_needs_one_of_its_kind_is_not_made_for_ever(
    shop: ModuleView, tmp_path: Path
) -> None:
    made = _made(shop, "Endless", tmp_path)
    assert made is not None
    assert made.count("Endless") <= 4


def test_one_of_another_module_is_imported_from_there(shop: ModuleView, tmp_path: Path) -> None:
    till = view("shop/till.py", "shop.till", SHOP)
    assert till is not None
    value = hinted(till, till.definitions["count"].parameters[0].annotation, tmp_path)
    assert value is not None
    assert "from shop.stock import Stock" in value.imports
    assert hinted(till, None, tmp_path) is None


def test_what_a_call_may_change_has_a_name_that_hides_nothing() -> None:
    value = Value("Stock(1)", ("size = 1",), ("from shop.stock import Stock",))
    assert held(value, "stock") == Value("stock", ("size = 1", "stock = Stock(1)"), value.imports)
    assert held(value, "Stock") is value
    enumerated = replace(value, expr="Kind.BIG")
    assert held(enumerated, "kind") is enumerated


def test_a_call_gets_them_though_a_guard_asks_for_something_else(
    shop: ModuleView, tmp_path: Path, world: Any
) -> None:
    here = world(SHOP, name="shop.till")
    here.path = "shop/till.py"
    scene = replace(here.scene(), root=tmp_path, sources={here.path: here.source})
    gap = replace(here.gap("count", "missing"), path=here.path, module="shop.till")
    situation = Situation.of(gap, scene)
    assert situation is not None

    first = next(iter(Construct().propose(situation)))

    made = "stock = Stock(Place('text'), Line('text', Kind.BIG), size=1)"
    bodies = [one.function for one in first]
    assert any(made in body and "count(stock, None)" in body for body in bodies)
    assert any("count(SimpleNamespace(" in body for body in bodies)
