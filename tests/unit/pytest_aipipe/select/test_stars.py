from __future__ import annotations

import pytest

from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.stars import Offer, Offers, read_offer


@pytest.mark.parametrize(
    ("source", "sure", "maybe"),
    [
        ("a = 1\n_b = 2\nimport c.d\n", {"a", "c"}, {"a", "c"}),
        ("if x:\n    a = 1\nb = 2\n", {"b"}, {"a", "b"}),
        ("a: int\nb: int = 2\n", {"b"}, {"a", "b"}),
        ("a = [b for b in range(3)]\n", {"a"}, {"a", "b"}),
        ("__all__ = ['a', '_b']\nc = 1\n", {"a", "_b"}, {"a", "_b"}),
        ("__all__ = ['a']\n__all__ += names\na = b = 1\n", set(), {"a", "b", "__all__"}),
        ("a = 1\ndel a\n", set(), {"a"}),
    ],
)
def test_a_module_offers_what_it_binds_and_does_not_hide(
    source: str, sure: set[str], maybe: set[str]
) -> None:
    offer = read_offer(source.encode())
    assert (set(offer.sure), set(offer.maybe)) == (sure, maybe)


def offers(files: dict[str, str]) -> Offers:
    graph = Graph(files, lambda name: files[name].encode(), ("",))
    return Offers(graph, {name: [("d", text.encode())] for name, text in files.items()})


def test_stars_pass_on_what_they_took_but_nobody_is_sure_of_it() -> None:
    files = {"a.py": "from b import *\nx = 1\n", "b.py": "from a import *\ny = 1\n"}
    assert offers(files).of("c.py", "a", 0) == Offer(frozenset("x"), frozenset("xy"))


def test_a_package_offers_its_modules() -> None:
    files = {"p/__init__.py": "x = 1\n", "p/m.py": "", "q.py": ""}
    found = offers(files).of("c.py", "p", 0)
    assert found is not None
    assert found.maybe == {"x", "m", "__init__"}
    assert found.sure == {"x"}


@pytest.mark.parametrize("text", ["from os import *\n", "x = (\n"])
def test_what_another_project_offers_or_nobody_can_read_is_unknown(text: str) -> None:
    assert offers({"a.py": text}).of("c.py", "a", 0) is None
