"""Light classes behave as those of ``dataclasses`` do."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from aipipe_build.light import as_dict, field, light, replace


@light(frozen=True)
class Point:
    x: int
    y: int = 0
    name: str = field(default="", compare=False)


@light()
class Bag:
    owner: Point
    things: list[int] = field(default_factory=list)


@light(frozen=True, eq=False)
class Node:
    text: str = ""


@light()
class Sum:
    parts: tuple[int, ...] = ()
    total: int = 0

    def __post_init__(self) -> None:
        self.total = sum(self.parts)


def test_fields_are_given_by_place_by_name_or_by_default() -> None:
    one = Point(1, name="a")
    assert (one.x, one.y, one.name) == (1, 0, "a")
    assert repr(one) == "Point(x=1, y=0, name='a')"


def test_each_object_gets_a_list_of_its_own() -> None:
    first, second = Bag(Point(1)), Bag(Point(1))
    first.things.append(1)
    assert second.things == []


def test_what_is_done_after_the_start_is_done() -> None:
    assert Sum((1, 2)).total == 3


def test_objects_are_compared_by_the_fields_that_count() -> None:
    assert Point(1, 2, "a") == Point(1, 2, "b")
    assert hash(Point(1, 2, "a")) == hash(Point(1, 2, "b"))
    assert Point(1) != Point(2)
    assert Point(1).__eq__(as_dict(Point(1))) is NotImplemented
    assert Node("a") != Node("a")
    assert len({Node("a"), Node("a")}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Bag(Point(1)))


def test_a_frozen_object_stays_as_it_is() -> None:
    with pytest.raises(AttributeError, match="cannot be changed"):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="cannot be changed"):
        del Point(1).x


@pytest.mark.parametrize(
    ("values", "named", "what"),
    [
        ((), {}, "needs 'x'"),
        ((1, 2, "a", 4), {}, "3 fields, 4 were given"),
        ((1,), {"z": 3}, "no field to set by z"),
        ((1,), {"x": 3}, "no field to set by x"),
    ],
)
def test_wrong_fields_are_refused(
    values: tuple[Any, ...], named: dict[str, Any], what: str
) -> None:
    with pytest.raises(TypeError, match=what):
        Point(*values, **named)


def test_a_copy_differs_in_what_was_named() -> None:
    assert replace(Point(1, 2, "a"), y=3) == Point(1, 3)
    assert replace(Point(1, 2, "a"), y=3).name == "a"


def test_it_is_written_out_as_dataclasses_would() -> None:
    same = dataclasses.make_dataclass("same", ["owner", "things"])
    point = dataclasses.make_dataclass("point", ["x", "y", "name"])
    ours = as_dict(Bag(Point(1), [2]))
    assert ours == dataclasses.asdict(same(point(1, 0, ""), [2]))
    inside: Any = {"a": (Point(2),)}
    assert as_dict(Bag(Point(1), inside))["things"] == {"a": ({"x": 2, "y": 0, "name": ""},)}
