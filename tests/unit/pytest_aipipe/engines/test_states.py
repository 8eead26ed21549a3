"""What a guard asks of an object is given to the constructor that a test calls."""

from __future__ import annotations

import ast
from pathlib import Path
from random import Random

from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.states import attributes_read, state_edits, states_of
from pytest_aipipe.engines.techniques.amplify import Amplify
from pytest_aipipe.generate.model import Gap, KnownTest, Scene

SHOP = """
class Item:
    def __init__(self, name, note=None):
        self.name = name
        self._note = note


class Gift(Item):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Voucher(Item):
    def __init__(self):
        super().__init__("voucher")


def pack(items):
    packed = []
    for item in items:
        if getattr(item, "_note", None) is not None:
            packed.append("noted")
    return packed
"""
TEST = """
def test_pack():
    assert pack([Gift("hat"), Item("cap"), Gift("coat"), Voucher()]) == []
"""
FILE = Path("/shop/test_shop.py")


def situation() -> Situation:
    line = SHOP.splitlines().index('            packed.append("noted")') + 1
    gap = Gap("shop.py", "shop", "pack", frozenset({line}), frozenset())
    ran = {"shop.py": frozenset(range(line - 4, line))}
    test = KnownTest("test_shop.py::test_pack", FILE, "test_pack", (), {}, ran, {})
    sources, added = {"shop.py": SHOP}, {"shop.py": frozenset({line})}
    scene = Scene(FILE.parent, sources, added, [test], [], {FILE: TEST}, frozenset(), Random(0))
    found = Situation.of(gap, scene)
    assert found is not None
    return found


def test_attributes_are_read_in_conditions_by_name_and_by_getattr() -> None:
    test = ast.parse("item._note and getattr(item, '__owner', None) and hasattr(a, name)").body[0]
    assert isinstance(test, ast.Expr)
    assert attributes_read([test.value]) == {"note", "owner"}


def test_a_state_is_taken_by_the_classes_that_hand_it_on_and_not_by_others() -> None:
    (state,) = states_of(situation())
    assert state.name == "note"
    assert "'text'" in state.values
    assert state.classes == {"Item", "Gift"}


def test_all_objects_of_a_class_get_the_state_and_the_classes_take_turns() -> None:
    function = ast.parse(TEST).body[0]
    assert isinstance(function, ast.FunctionDef)
    made = [ast.unparse(one.function) for one in state_edits(function, states_of(situation()))][:2]
    assert (
        "[Gift('hat', note='text'), Item('cap'), Gift('coat', note='text'), Voucher()]" in made[0]
    )
    assert "[Gift('hat'), Item('cap', note='text'), Gift('coat'), Voucher()]" in made[1]


def test_near_tests_are_tried_with_the_state_after_they_were_tried_as_they_are() -> None:
    proposals = Amplify().propose(situation())
    (plain,) = next(proposals)
    assert "note" not in plain.function
    stated = proposals.send([])
    assert any("note='text'" in one.function for one in stated)
