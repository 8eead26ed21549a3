from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.spread import Spread

from .asked import demand, lines

if TYPE_CHECKING:
    from pytest_aipipe.select.demand import Demand


def test_a_constant_concerns_the_statements_that_read_it_wherever_they_stand() -> None:
    files = {
        "a.py": "LIMIT = 1\ndef f():\n    x = 0\n    return LIMIT\n",
        "b.py": "from a import LIMIT\ndef g():\n    return LIMIT\ndef h():\n    return 2\n",
        "c.py": "import a\ndef k():\n    return a.LIMIT\n",
        "d.py": "from os import LIMIT\ndef m():\n    return LIMIT\n",
    }
    found = demand(files, "a.py", "= 1", "= 2")
    assert [lines(found, path) for path in files] == [{4}, {3}, {3}, set()]
    assert not found.whole


def test_what_is_bound_from_a_changed_name_is_changed_too() -> None:
    files = {"a.py": "A = 1\nB = A + 1\ndef f():\n    return B\n", "t.py": "from a import B as C\n"}
    found = demand(files, "a.py", "A = 1", "A = 2")
    assert lines(found, "a.py") == {4}
    assert ("t.py", "C") in found.parts


def test_a_decorator_and_a_table_reach_the_tests_that_they_are_put_on() -> None:
    files = {
        "test_a.py": "import pytest\nROWS = [1]\n@pytest.mark.parametrize('a', ROWS)\n"
        "def test_rows(a): ...\ndef test_other(): ...\n"
    }
    found = demand(files, "test_a.py", "[1]", "sorted([1])")
    assert ("test_a.py", "test_rows") in found.parts
    assert ("test_a.py", "test_other") not in found.parts


def test_a_class_concerns_who_enters_its_methods_and_those_of_classes_made_from_it() -> None:
    files = {
        "a.py": "class A:\n    x = 1\n    def f(self): ...\n",
        "b.py": "from a import A\nclass B(A):\n    def g(self): ...\n",
    }
    found = demand(files, "a.py", "x = 1", "x = 2")
    entered = {
        (key[0], entry)
        for clause in found.clauses
        for wanted in clause.wanted
        for key, points in wanted.items()
        if points
        for entry in points[1]
    }
    assert entered == {("a.py", 3), ("b.py", 3)}


@pytest.mark.parametrize(
    "text",
    ["print(a.A)", "assert a.A", "raise OSError(a.A)", "if a.A:\n    print(1)",
     "for one in a.A:\n    if one:\n        raise OSError"],
)  # fmt: skip
def test_what_a_module_does_at_import_leaves_its_file_to_the_import_graph(text: str) -> None:
    files = {"a.py": "A = 1\n", "b.py": f"import a\n{text}\n"}
    assert "b.py" in demand(files, "a.py", "A = 1", "A = 2").whole


def test_a_header_at_import_decides_what_is_bound_below_it() -> None:
    files = {"a.py": "A = 1\n", "b.py": "import a\nB = 0\nif a.A:\n    B = 1\n"}
    found = demand(files, "a.py", "A = 1", "A = 2")
    assert not found.whole
    assert ("b.py", "B") in found.parts


def test_a_star_import_hands_names_on() -> None:
    files = {"a.py": "A = 1\n", "b.py": "from a import *\ndef f():\n    return A\n"}
    assert lines(demand(files, "a.py", "1", "2"), "b.py") == {3}


def test_a_star_import_hands_nothing_on_that_its_module_does_not_offer() -> None:
    user = "from a import *\ndef f():\n    return A\n"
    files = {"a.py": "__all__ = ['B']\nA = 1\nB = 2\n", "b.py": user}
    assert not lines(demand(files, "a.py", "A = 1", "A = 2"), "b.py")
    assert demand(files, "a.py", "['B']", "['A']").whole.keys() == {"b.py"}
    offering = [
        "__all__ = ['A']\nA = 1\n",
        "__all__ = ['B']\nA = 1\n__all__ += ['A']\n",
        "__all__ = ['B', *list('A')]\nA = 1\n",
        "import b\nA = 1\n__all__ = ['B']\n__all__.append('A')\n",
    ]
    for text in offering:
        found = demand({"a.py": text, "b.py": user}, "a.py", "A = 1", "A = 2")
        assert lines(found, "b.py") == {3}


def test_a_mock_names_its_target_in_a_string() -> None:
    files = {"a.py": "A = 1\n", "t.py": "def test(mock):\n    mock.patch('a.A', 3)\n"}
    assert lines(demand(files, "a.py", "1", "2"), "t.py") == {2}


def test_a_new_function_concerns_nobody_who_could_not_know_it() -> None:
    files = {"a.py": "x = 1\n", "t.py": "import a\ndef test():\n    assert a.x\n"}
    found = demand(files, "a.py", "x = 1\n", "x = 1\ndef fresh(): ...\n")
    assert not found.clauses
    assert not found.whole


def test_a_name_that_hides_a_builtin_concerns_who_uses_it() -> None:
    files = {"a.py": "x = 1\ndef f():\n    return len([])\n"}
    assert lines(demand(files, "a.py", "x = 1\n", "x = 1\ndef len(y): ...\n"), "a.py") == {3}


def test_a_fixture_is_named_to_the_tests_that_use_it() -> None:
    files = {"conftest.py": "import pytest\n@pytest.fixture\ndef box(): return 1\n"}
    new = "@pytest.fixture(params=[1, 2])"
    assert ("conftest.py", "box") in demand(files, "conftest.py", "@pytest.fixture", new).fixtures


def test_a_new_fixture_for_all_leaves_the_file_to_the_import_graph() -> None:
    files = {"conftest.py": "import pytest\n"}
    new = "import pytest\n@pytest.fixture(autouse=True)\ndef always(): ...\n"
    assert "conftest.py" in demand(files, "conftest.py", "import pytest\n", new).whole


def test_a_changed_hook_concerns_everything() -> None:
    files = {"conftest.py": "def pytest_configure():\n    x = 1\n"}
    assert "pytest_configure" in demand(files, "conftest.py", "1", "2").everything


def test_a_data_file_concerns_who_names_it() -> None:
    files = {"t.py": "def test():\n    open('data/rows.csv')\ndef other():\n    open('b.csv')\n"}
    spread = Spread({"t.py": [("d", files["t.py"].encode())]}, Graph(files, lambda _: b""))
    spread.add_file("tests/data/rows.csv", "why")
    assert lines(spread.demand, "t.py") == {2}


def test_a_dotted_module_is_that_module_and_no_other() -> None:
    files = {
        "p/__init__.py": "",
        "p/a.py": "import os\ndef f():\n    return 1\n",
        "p/b.py": "import os\n",
        "t.py": "import p.a, p.b\ndef t():\n    p.a.os\n    p.b.os\n    p.x.os\n",
    }
    assert lines(demand(files, "p/a.py", "import os\n", ""), "t.py") == {3, 5}


def test_a_class_of_the_same_name_elsewhere_is_another() -> None:
    files = {
        "a.py": "class A:\n    def f(self): ...\n",
        "b.py": "from a import A as B\nclass C(B):\n    def g(self): ...\n",
        "c.py": "import a\nclass C:\n    def h(self): ...\n",
        "t.py": "from b import C\ndef t():\n    C().x\n",
        "u.py": "from c import C\ndef u():\n    C().x\n",
    }
    found = demand(files, "a.py", "    def f(self)", "    def x(self): ...\n    def f(self)")
    (clause,) = [one for one in found.clauses if len(one.wanted) > 1]
    paths = {key[0] for key in clause.wanted[1]}
    assert {"a.py", "b.py", "t.py"} <= paths
    assert "c.py" not in paths


def test_a_star_that_becomes_names_concerns_who_uses_the_others() -> None:
    files = {
        "a.py": "import os\ndef f(): ...\ndef g(): ...\ndef _h(): ...\n",
        "p.py": "from a import *\n",
        "t.py": "import p\ndef t():\n    p.f()\n    p.g()\n    p.os\n    p._h()\n",
    }
    found = demand(files, "p.py", "import *", "import f")
    assert lines(found, "t.py") == {4, 5}
    assert not found.whole


def test_a_star_that_does_not_take_what_was_named_concerns_who_uses_that() -> None:
    files = {
        "a.py": "__all__ = ['f']\ndef f(): ...\ndef g(): ...\n",
        "p.py": "from a import f, g\n",
        "t.py": "import p\ndef t():\n    p.f()\n    p.g()\n",
    }
    found = demand(files, "p.py", "import f, g", "import *")
    assert lines(found, "t.py") == {4}


def test_a_star_of_a_module_that_nobody_knows_concerns_all_who_load_the_file() -> None:
    files = {"p.py": "from os import *\n", "t.py": "import p\n"}
    assert set(demand(files, "p.py", "from os import *", "import os").whole) == {"p.py"}


def entered(found: Demand, path: str) -> set[int]:
    """The entries that are asked for in a file, whichever clause asks."""
    return {
        entry
        for clause in found.clauses
        for wanted in clause.wanted
        for key, points in wanted.items()
        if key[0] == path and points
        for entry in points[1]
    }


def test_a_name_in_a_lambda_concerns_who_calls_it_and_not_who_makes_it() -> None:
    files = {
        "a.py": "LIMIT = 1\n",
        "b.py": "from a import LIMIT\ndef f():\n    return lambda: LIMIT\n"
        "def g():\n    return lambda x=LIMIT: x\ndef h():\n    return lambda: [lambda: LIMIT]\n",
    }
    found = demand(files, "a.py", "= 1", "= 2")
    assert (lines(found, "b.py"), entered(found, "b.py")) == ({5}, {3, 7})


TEXT = "from __future__ import annotations\n"


def test_annotations_kept_as_text_concern_who_hands_the_function_on_or_reads_them() -> None:
    files = {
        "a.py": "def f(a: int): ...\ndef g(): ...\n",
        "b.py": "from a import f as k, g\nimport inspect\ndef calls():\n    return k(1)\n"
        "def hands():\n    return run(k)\ndef reads(one):\n    return inspect.signature(one)\n"
        "def looks(name):\n    return getattr(b, name)\ndef other():\n    return run(g)\n",
        "c.py": "import a\nMADE = wrap(a.f)\ndef uses():\n    return MADE\n",
    }
    found = demand(files, "a.py", "def f", f"{TEXT}def f")
    assert (lines(found, "a.py"), lines(found, "b.py")) == (set(), {6, 8, 10})
    assert lines(found, "c.py") == {4}
    assert not found.whole


def test_a_file_that_hands_an_annotated_function_on_for_an_effect_is_loaded_otherwise() -> None:
    files = {"a.py": "def f(a: int): ...\n", "b.py": "from a import f\nregister(f)\n"}
    assert set(demand(files, "a.py", "def f", f"{TEXT}def f").whole) == {"b.py"}


def test_a_module_that_a_star_took_into_its_own_package_is_there_without_it() -> None:
    files = {
        "p/__init__.py": "from p.n import *\n",
        "p/n.py": "from . import m\ndef f():\n    return m\n",
        "p/m.py": "",
        "t.py": "from p import m, f\ndef test_m():\n    return m\ndef test_f():\n    return f()\n",
    }
    found = demand(files, "p/__init__.py", "import *", "import f")
    assert lines(found, "t.py") == set()
    files["p/__init__.py"] += "m = 3\n"
    assert lines(demand(files, "p/__init__.py", "import *", "import f"), "t.py") == {3}


@pytest.mark.parametrize(
    ("looking", "concerned"),
    [
        ("vars(self)", False),
        ("self.__class__.__dict__", False),
        ("dir(type(self))", False),
        ("globals()", True),
        ("vars(module)", True),
        ("(vars(self), globals())", True),
        ("map(vars, [self])", True),
    ],
)
def test_what_looks_through_an_object_sees_no_name_of_its_module(
    looking: str, *, concerned: bool
) -> None:
    text = f"LIMIT = 1\nclass A:\n    def all(self, module):\n        return {looking}\n"
    assert (4 in lines(demand({"a.py": text}, "a.py", "= 1", "= 2"), "a.py")) is concerned


def test_a_name_of_an_annotation_is_no_part_of_what_is_annotated() -> None:
    text = "Size = int\nclass A:\n    one: Size = 1\n    def grow(self):\n        return self.one\n"
    files = {"a.py": text, "t.py": "from a import A\ndef test():\n    assert A().grow()\n"}
    found = demand(files, "a.py", "= int", "= float")
    assert not found.clauses
    assert ("a.py", "A") not in found.parts
    made = {**files, "a.py": text.replace("class", "@dataclass\nclass")}
    assert ("a.py", "A") in demand(made, "a.py", "= int", "= float").parts
    kept = {**files, "a.py": text.replace("= 1", "= Size(1)")}
    assert ("a.py", "A") in demand(kept, "a.py", "= int", "= float").parts
