from __future__ import annotations

import pytest

from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.stars import Offer, Offers, Star, read_offer


@pytest.mark.parametrize(
    ("source", "sure", "maybe"),
    [
        ("a = 1\n_b = 2\nimport c.d\n", {"a", "c"}, {"a", "c"}),
        ("if x:\n    a = 1\nb = 2\n", {"b"}, {"a", "b"}),
        ("a: int\nb: int = 2\n", {"b"}, {"a", "b"}),
        ("a = [b for b in range(3)]\n", {"a"}, {"a"}),
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


def test_a_star_takes_nothing_new_of_a_package_by_one_of_its_own_modules() -> None:
    files = {
        "p/__init__.py": "from p.n import *\n",
        "p/n.py": "from . import m\nfrom p import k, o\nfrom q import other\nimport l\nk = 1\n",
        **{f"p/{name}.py": "" for name in ("m", "k", "l", "o", "other")},
    }
    star = Star("p.n", 0, gained=False, named=frozenset({"k"}))
    assert offers(files).own("p/__init__.py", star) == {"m", "o"}
    assert offers({**files, "p/n.py": "x = (\n"}).own("p/__init__.py", star) == set()
    alone = Star("p.n", 0, gained=False)
    assert offers(files).own("p/__init__.py", alone) == set()
