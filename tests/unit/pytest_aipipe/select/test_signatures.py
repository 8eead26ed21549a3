from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.select import signatures
from pytest_aipipe.select.compare import compare
from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.reader import read_mentions
from pytest_aipipe.select.spread import Spread

if TYPE_CHECKING:
    from pytest_aipipe.select.demand import Demand

SHOP = (
    "class Cart:\n    def __init__(self, owner):\n        self.owner = owner\n"
    "    def total(self):\n        return 0\ndef ship(cart):\n    return cart\n"
)


def demand(test: str, old: str, new: str, shop: str = SHOP) -> Demand:
    files = {"shop.py": shop, "test_shop.py": test}
    graph = Graph(files, lambda name: files[name].encode(), ("",))
    spread = Spread({name: [("d", text.encode())] for name, text in files.items()}, graph, files)
    changed = shop.replace(old, new)
    assert changed != shop
    spread.add(("shop.py", "d"), compare(shop.encode(), changed.encode()), changed.encode())
    return spread.demand


def notices(found: Demand, ran: set[int], entered: set[int]) -> bool:
    """Whether a test that ran these points of its file, and none of the shop's, is asked for."""
    return any(
        all(
            any(
                points is None or ran & points[0] or entered & points[1]
                for key, points in wanted.items()
                if key[0] == "test_shop.py"
            )
            for wanted in clause.wanted
        )
        for clause in found.clauses
    )


MORE = ("(self, owner)", "(self, owner, note)")


def test_who_only_names_a_class_that_takes_other_arguments_does_not_run() -> None:
    test = (
        "from shop import Cart\nKINDS = [Cart]\ndef test_kind(x):\n    assert isinstance(x, Cart)\n"
    )
    found = demand(test, *MORE)
    assert not notices(found, {4}, {3})
    assert not found.whole
    assert not found.parts


def test_who_entered_it_runs() -> None:
    entered = [
        points[1]
        for clause in demand("", *MORE).clauses
        for wanted in clause.wanted
        for key, points in wanted.items()
        if key[0] == "shop.py" and points and len(clause.wanted) == 1
    ]
    assert entered == [frozenset({2})]


@pytest.mark.parametrize(
    "caught",
    ["with pytest.raises(TypeError):", "with pytest.raises((KeyError, TypeError)):",
     "with contextlib.suppress(Exception):", "with pytest.raises(ERRORS):",
     "with pytest.raises(expected_exception=one):"],
)  # fmt: skip
def test_who_catches_a_call_that_the_signature_refuses_runs(caught: str) -> None:
    test = (
        f"from shop import Cart\nERRORS = (TypeError,)\ndef test():\n    {caught}\n        Cart()\n"
    )
    found = demand(test, *MORE)
    assert notices(found, {4, 5}, {3})
    assert not notices(found, {4}, {3})


def test_who_catches_another_error_does_not() -> None:
    test = "from shop import Cart\ndef test():\n    with raises(KeyError):\n        x(Cart)\n"
    assert not notices(demand(test + "def x(a): ...\n", *MORE), {3, 4}, {2, 5})


def test_an_except_counts_where_an_error_came_to_it() -> None:
    test = "import shop\ndef test():\n    try:\n        shop.Cart()\n    except Exception:\n        pass\n"
    found = demand(test, *MORE)
    assert notices(found, {3, 4, 5}, {2})
    assert not notices(found, {3, 4}, {2})


def test_what_is_bound_from_the_class_stands_for_it() -> None:
    test = (
        "from shop import Cart\nclass Gift(Cart): ...\nKINDS = [Gift]\n"
        "def test():\n    for one in KINDS:\n        with raises(TypeError):\n            one()\n"
    )
    assert notices(demand(test, *MORE), {5, 6, 7}, {4})


def test_a_mark_that_expects_a_failure_catches_as_well() -> None:
    test = "import shop\n@pytest.mark.xfail\ndef test():\n    shop.Cart()\n"
    assert notices(demand(test, *MORE), {4}, {2})


@pytest.mark.parametrize("text", ["inspect.signature(shop.Cart)", "shop.Cart.__code__"])
def test_who_reads_a_signature_runs(text: str) -> None:
    test = f"import inspect, shop\ndef test():\n    assert {text}\n"
    assert notices(demand(test, *MORE), {3}, {2})


def test_what_is_handed_to_code_from_elsewhere_may_be_looked_at() -> None:
    test = "import shop, di\ndef test():\n    assert di.build(shop.Cart)\n"
    assert notices(demand(test, *MORE), {3}, {2})
    made = "import shop, di\nBUILT = di.build(shop.Cart)\ndef test():\n    assert BUILT\n"
    assert notices(demand(made, *MORE), {4}, {3})
    ours = "import shop\ndef build(a): ...\ndef test():\n    assert build(shop.Cart)\n"
    assert not notices(demand(ours, *MORE), {4}, {3, 2})


def test_a_class_that_something_else_has_a_say_in_concerns_all_who_use_it() -> None:
    test = "import shop\ndef test():\n    assert shop.Cart\n"
    assert not notices(demand(test, *MORE), {3}, {2})
    for head in ("class Cart(Model):", "class Cart(metaclass=M):", "@register\nclass Cart:"):
        shop = SHOP.replace("class Cart:", head)
        assert notices(demand(test, *MORE, shop), {3}, {2})


def test_a_function_that_takes_other_arguments_is_asked_for_in_the_same_way() -> None:
    test = "from shop import ship\ndef test():\n    assert callable(ship)\n"
    found = demand(test.replace("callable", "bool"), "ship(cart)", "ship(cart, to)")
    assert notices(found, {3}, {2})  # bool is not known to read nothing
    test = "from shop import ship\nSTEPS = (ship, 1)\ndef test():\n    assert len(STEPS)\n"
    assert not notices(demand(test, "ship(cart)", "ship(cart, to)"), {4}, {3})


def test_what_a_file_catches_is_told_by_the_names_of_the_errors() -> None:
    source = (
        b"def f():\n    try:\n        g()\n    except (KeyError, own.Error):\n        pass\n"
        b"    except:\n        pass\n    with raises(make()), suppress():\n        g()\n"
    )
    assert read_mentions(source).catches == {"KeyError": {4}, "Error": {4}, "?": {6, 8}}


def test_the_text_of_a_class_concerns_who_uses_it_and_reads_texts() -> None:
    test = (
        "import shop\ndef test():\n    assert shop.Cart\n    assert shop.Cart.__doc__\n"
        "def other():\n    assert x.__doc__\nTEXT = inspect.getdoc(shop.Cart)\n"
        "def third():\n    assert TEXT\n"
    )
    shop = SHOP.replace("class Cart:\n", 'class Cart:\n    """A cart."""\n')
    texts = ('"""A cart."""', '"""A large cart."""')
    found = demand(test, *texts, shop)
    assert not notices(found, {3}, {2})
    assert notices(found, {4}, {2})
    assert not notices(found, {6}, {5})
    assert notices(found, {9}, {8})
    assert notices(found, {3, 6}, {2, 5})  # what reads texts may have been given it


def test_the_text_of_a_class_in_which_something_has_a_say_concerns_all_who_use_it() -> None:
    test = "import shop\ndef test():\n    assert shop.Cart\n"
    shop = SHOP.replace("class Cart:\n", '@shown\nclass Cart:\n    """A cart."""\n')
    assert notices(demand(test, '"""A cart."""', '"""A large cart."""', shop), {3}, {2})


def test_the_text_of_a_function_concerns_who_reads_it() -> None:
    shop = SHOP.replace("def ship(cart):\n", 'def ship(cart):\n    """Ship it."""\n')
    test = "from shop import ship\ndef test():\n    ship(1)\ndef other():\n    ship.__doc__\n"
    found = demand(test, '"""Ship it."""', '"""Ship."""', shop)
    assert not notices(found, {3}, {2})
    assert notices(found, {5}, {4})


@pytest.mark.parametrize(
    ("old", "new", "needed"),
    [
        ("a, b", "a, c", {"", "c"}), ("a, *, b=1", "a, *, b=1, c=2", {"c"}),
        ("a, *, b=1, **k", "a, *, c=2, **k", set()), ("a", "a, b=1", {""}),
        ("a, b", "a, b=1", {""}), ("a, b=1", "a, b=2", set()), ("a, b=1", "a, b", set()),
        ("a", "a, *b", {""}), ("a", "a, **b", {""}), ("*a", "b, *a", {"b"}), ("a, *, b", "a", {""}),
        ("a, *, b=1", "a", set()), ("a, *, b", "a, *, b=1", {""}), ("a: int", "a: str", set()),
        ("*a, b=1", "c, *a, b=1", {"c"}), ("a, /", "a", {"a"}),
    ],
)  # fmt: skip
def test_what_a_signature_takes_now_that_it_refused_before(
    old: str, new: str, needed: set[str]
) -> None:
    (before,), (after,) = (ast.parse(f"def f({one}): ...").body for one in (old, new))
    found = signatures.words(before, after)
    assert "" in found if "" in needed else found == needed


def test_a_keyword_that_nobody_could_have_given_concerns_nobody_who_catches() -> None:
    test = "from shop import Cart\ndef test():\n    with raises(TypeError):\n        Cart()\n"
    gift = ("(self, owner)", "(self, owner, *, gift=False)")
    assert not notices(demand(test, *gift), {3, 4}, {2})
    given = test.replace("Cart()", "Cart('Ann', gift=True)")
    assert notices(demand(given, *gift), {3, 4}, {2})


@pytest.mark.parametrize(
    ("reading", "runs"),
    [
        ("get_type_hints(x)", True),
        ("x.__annotations__", True),
        ("str(signature(x))", True),
        ("signature(x).return_annotation", True),
        ("list(signature(x).parameters.values())", True),
        ("list(signature(x).parameters.keys())", False),
        ("'a' in signature(x).parameters", False),
        ("x(1)", False),
    ],
)
def test_another_annotation_concerns_who_reads_annotations_and_uses_the_class(
    reading: str, runs: bool
) -> None:
    test = f"from shop import Cart\ndef test_it(x=Cart):\n    assert Cart('me')\n    {reading}\n"
    found = demand(test, "def total(self):", "def total(self) -> int:")
    assert notices(found, {3, 4}, {2}) is runs
    assert not notices(found, {3}, {2})
    assert all(len(clause.wanted) > 1 for clause in found.clauses)


def test_another_annotation_of_what_a_decorator_may_have_read_is_more() -> None:
    shop = "@dataclass_like\n" + SHOP
    found = demand("", "def total(self):", "def total(self) -> int:", shop)
    assert ("shop.py", "Cart") in found.parts


def test_a_file_that_cannot_be_read_hands_nothing_on() -> None:
    test = "from shop import Cart\nprint Cart, look(Cart)\n"
    assert not demand(test, *MORE).parts
