from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.assertions.settle import Goal, Settled, Unsettled, raise_lines, settle
from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.generate.model import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_aipipe.generate.request import Request

SOURCE = """\
import dataclasses
import warnings


class Stock:
    def __init__(self, name):
        self.name = name
        self.items = []
        self._secret = object()

    def add(self, item):
        if not item:
            raise KeyError("an item needs a name (and a price)")
        self.items.append(item)
        return self

    def each(self):
        for item in self.items:
            yield item.upper()


@dataclasses.dataclass
class Line:
    text: str
    amount: float = 0.1


def make_line(text):
    return Line(text, 0.5)


def empty(values):
    values.clear()


def say(text):
    print("said", text)


def third():
    return 1 / 3


class Door:
    __slots__ = ()
    size = 3


def opened(count):
    for _ in range(count):
        yield Door()


def put(box, name):
    if box:
        box["last"] = name
    box[name] = 1
    return box
"""


def settled(make_request: Callable[..., Request], body: str, **more: object) -> Settled | Unsettled:
    request = make_request(SOURCE)
    lines = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
    candidate = Candidate(
        technique="written",
        name="test_it",
        function=f"def test_it():\n{lines}\n",
        prelude=("import shop",),
        **more,  # type: ignore[arg-type]
    )
    goal = Goal(
        {"shop.py": request.added["shop.py"] - {1, 2, 5, 6, 11, 17}}, {"shop.py": frozenset()}
    )
    with Explorer(request) as explorer:
        goal = Goal(
            {"shop.py": goal.lines["shop.py"] - explorer.start_and_import_reach()["shop.py"]},
            goal.arcs,
        )
        return settle(candidate, goal, explorer, lambda _, n: n in raise_lines(SOURCE))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "shop.third()",
            "result = shop.third()\n\nassert result == pytest.approx(0.3333333333333333)",
        ),
        (
            "shop.make_line('a')",
            "result = shop.make_line('a')\n\nassert result == Line(text=\"a\", amount=0.5)",
        ),
        (
            "unused = 3\nshop.say('x')",
            "shop.say('x')\n\nassert capsys.readouterr().out == \"said x\\n\"",
        ),
        (
            "values = [1]\nshop.empty(values)",
            "values = [1]\nshop.empty(values)\n\nassert values == []",
        ),
        (
            "stock = shop.Stock('a')\nstock.add('')\nassert stock.items == [1]",
            "stock = shop.Stock('a')\nwith pytest.raises(KeyError, match=r\"^'an item needs a name \\(and a price\\)'$\"):\n    stock.add('')",
        ),
        (
            "stock = shop.Stock('a').add('b')\nassert list(stock.each()) == ['b']",
            "stock = shop.Stock('a').add('b')\nassert list(stock.each()) == [\"B\"]",
        ),
        (
            "for n in [1]:\n    pass\nshop.make_line('a')\nstock = shop.Stock('b')\nstock.add(1)",
            (
                "assert shop.make_line('a') == Line(text=\"a\", amount=0.5)\nstock = shop.Stock('b')\n"
                'result = stock.add(1)\n\nassert result is stock\nassert isinstance(stock, Stock)\nassert stock.items == [1]\nassert stock.name == "b"'
            ),
        ),
        (
            "for one in shop.opened(2):\n    one.size",
            "rounds = 0\nfor one in shop.opened(2):\n    rounds += 1\n    one.size\n\nassert rounds == 2",
        ),
        (
            "import pytest\nwith pytest.raises(KeyError):\n    shop.third()",
            "result = shop.third()\n\nassert result == pytest.approx(0.3333333333333333)",
        ),
    ],
)
def test_what_was_seen_becomes_the_shortest_test_that_asserts_it(
    make_request: Callable[..., Request], body: str, expected: str
) -> None:
    found = settled(make_request, body)

    assert isinstance(found, Settled), found
    shown = found.candidate.function.split(":\n", 1)[1].replace("\n    ", "\n").strip()
    assert shown == expected


def test_what_a_later_call_changes_is_not_asserted_where_it_was_given(
    make_request: Callable[..., Request],
) -> None:
    found = settled(
        make_request, "box = {}\nshop.put(box, 'a')\nassert len(shop.put(box, 'b')) == 3"
    )

    assert isinstance(found, Settled), found
    shown = found.candidate.function.split(":\n", 1)[1].replace("\n    ", "\n").strip()
    assert shown == "box = {}\nshop.put(box, 'a')\nassert len(shop.put(box, 'b')) == 3"


WARNING = """\
import warnings


class ShopWarning(UserWarning):
    pass


def __getattr__(name):
    if name == "OLD":
        warnings.warn("OLD is deprecated", DeprecationWarning, stacklevel=2)
        return 3
    raise AttributeError(name)


def twice(n):
    warnings.warn(f"twice({n}) is slow", ShopWarning, stacklevel=2)
    if n < 0:
        raise ValueError("negative")
    return n * 2
"""


def settled_with(request: Request, candidate: Candidate, source: str) -> str:
    wanted = frozenset({9, 10, 11, 12, 16, 17, 18, 19})
    with Explorer(request) as explorer:
        found = settle(
            candidate,
            Goal({"shop.py": wanted}, {"shop.py": frozenset()}),
            explorer,
            lambda _, n: n in raise_lines(source),
        )
    assert isinstance(found, Settled), found
    return found.candidate.function


@pytest.mark.parametrize("filters", ["", "filterwarnings = error\n"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "value = shop.OLD",
            (
                'with pytest.warns(DeprecationWarning, match="^OLD is deprecated$"):\n'
                "        value = shop.OLD\n\n    assert value == 3"
            ),
        ),
        (
            "result = shop.twice(2)",
            (
                'with pytest.warns(ShopWarning, match=r"^twice\\(2\\) is slow$"):\n'
                "        result = shop.twice(2)\n\n    assert result == 4"
            ),
        ),
        (
            "shop.twice(-1)",
            (
                'with pytest.warns(ShopWarning, match=r"^twice\\(-1\\) is slow$"):\n'
                '        with pytest.raises(ValueError, match="^negative$"):\n'
                "            shop.twice(-1)"
            ),
        ),
    ],
)
def test_a_warning_of_the_changed_code_is_expected_whatever_the_filters(
    make_request: Callable[..., Request], filters: str, body: str, expected: str
) -> None:
    request = make_request(WARNING)
    request = replace(request, pytest_args=(*request.pytest_args, "-p", "no:asyncio"))
    (request.root / "pytest.ini").write_text(f"[pytest]\n{filters}")
    function = f"def test_it():\n    {body}\n"
    candidate = Candidate("t", "test_it", function, ("import shop",), observe=("value",))

    assert settled_with(request, candidate, WARNING) == f"def test_it():\n    {expected}\n"


def test_a_unittest_style_test_expects_errors_by_its_own_methods(
    make_request: Callable[..., Request],
) -> None:
    source = WARNING.replace(
        '    warnings.warn(f"twice({n}) is slow", ShopWarning, stacklevel=2)\n', "    n += 0\n"
    )
    candidate = Candidate(
        "t",
        "TestTwice",
        "class TestTwice(unittest.TestCase):\n    def test_it(self):\n"
        "        result = shop.twice(-1)\n        self.assertEqual(result, 2)\n",
        ("import shop", "import unittest"),
    )

    assert settled_with(make_request(source), candidate, source).splitlines()[2:] == [
        '        with self.assertRaisesRegex(ValueError, "^negative$"):',
        "            shop.twice(-1)",
    ]


def test_an_object_without_value_is_told_by_its_kind_and_public_parts(
    make_request: Callable[..., Request],
) -> None:
    found = settled(make_request, "stock = shop.Stock('a')")

    assert isinstance(found, Settled), found
    assert "assert isinstance(stock, Stock)" in found.candidate.function
    assert 'assert stock.name == "a"' in found.candidate.function
    assert "from shop import Stock" in found.candidate.prelude
    assert "secret" not in found.candidate.function
