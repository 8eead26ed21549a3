from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select.served import add_kept, add_run

from .asked import lines, spread

if TYPE_CHECKING:
    from pytest_aipipe.select.demand import Demand


def kept(files: dict[str, str], path: str, old: str, new: str, *early: str) -> Demand:
    found = spread(files, path, old, new)
    add_kept(found, early)
    return found.demand


def run_at_import(files: dict[str, str], path: str, old: str, new: str, module: str) -> Demand:
    found = spread(files, path, old, new)
    add_run(found, module)
    return found.demand


def test_what_a_function_keeps_serves_those_who_only_ask_for_it() -> None:
    files = {
        "a.py": "from functools import cache\nfrom b import make\n@cache\ndef get():\n"
        "    return make()\ndef user():\n    return get()\n",
        "b.py": "def make():\n    return helper()\ndef helper():\n    return 1\n",
        "t.py": "import a\ndef test():\n    a.get()\ndef other():\n    pass\n",
    }
    found = kept(files, "b.py", "return 1", "return 2")
    assert lines(found, "a.py") == {7}
    assert lines(found, "t.py") == {3}


def test_what_a_property_keeps_serves_those_who_have_its_class() -> None:
    files = {
        "a.py": "from functools import cached_property\nclass A:\n    @cached_property\n"
        "    def size(self):\n        return 1\n",
        "t.py": "from a import A\ndef test(one):\n    one.size\ndef make():\n    return A()\n",
    }
    assert len(kept(files, "a.py", "return 1", "return 2").clauses) == 1  # each has its own
    files["b.py"] = "from a import A\nONE = A()\n"
    found = kept(files, "a.py", "return 1", "return 2")
    (clause,) = (clause for clause in found.clauses if len(clause.wanted) > 1)
    assert clause.wanted[0] == {("t.py", "d"): (frozenset({3}), frozenset())}
    assert clause.wanted[1]["t.py", "d"] == (frozenset({5}), frozenset())


def test_what_nothing_keeps_serves_nobody_else() -> None:
    files = {"a.py": "def f():\n    return 1\n", "t.py": "import a\ndef test():\n    a.f()\n"}
    assert lines(kept(files, "a.py", "return 1", "return 2"), "t.py") == set()


def test_a_module_that_was_loaded_too_early_may_have_run_what_changed() -> None:
    files = {"a.py": "def f():\n    return 1\n", "b.py": "from a import f\nX = f()\n"}
    assert "b.py" in kept(files, "a.py", "return 1", "return 2", "b.py").whole
    assert "b.py" not in kept(files, "a.py", "return 1", "return 2").whole


def test_what_a_decorator_made_at_import_concerns_who_uses_it() -> None:
    files = {
        "a.py": "def deco(f):\n    def inner():\n        return helper(f)\n    helper(f)\n"
        "    return inner\ndef helper(f):\n    return f\n",
        "t.py": "from a import deco\n@deco\ndef made(): ...\ndef test_one():\n    made()\n"
        "def test_two():\n    pass\n",
    }
    found = run_at_import(files, "a.py", "    return f\n", "    return f or f\n", "t.py")
    assert not found.whole
    assert lines(found, "t.py") == {5}
    assert ("t.py", "made") in found.parts


def test_code_that_a_module_runs_by_no_name_leaves_it_to_the_import_graph() -> None:
    files = {"a.py": "class A:\n    def f(self):\n        return 1\n", "t.py": "import a\nX = 1\n"}
    assert "t.py" in run_at_import(files, "a.py", "return 1", "return 2", "t.py").whole


def test_an_operator_is_followed_through_the_classes_that_have_it() -> None:
    files = {
        "a.py": "class Base:\n    def __or__(self, o):\n        return 1\nclass Sub(Base): ...\n",
        "t.py": "from a import Sub\nONE = Sub()\nTWO = ONE | ONE\ndef test():\n    assert TWO\n",
    }
    found = run_at_import(files, "a.py", "return 1", "return 2", "t.py")
    assert lines(found, "t.py") == {5}


def test_a_module_that_makes_objects_by_changed_code_makes_them_where_a_class_is_named() -> None:
    files = {
        "a.py": "class A:\n    def __init__(self):\n        self.x = 1\n",
        "b.py": "from a import A\nclass B:\n    def __init__(self):\n        self.a = A()\n",
        "t.py": "from b import B\nONE = B()\nTWO = 2\n"
        "def test_one():\n    return ONE\ndef test_two():\n    return TWO\n",
    }
    found = run_at_import(files, "a.py", "= 1", "= 2", "t.py")
    assert lines(found, "t.py") == {5}
    assert "t.py" not in found.whole


def test_a_list_of_classes_runs_none_of_them() -> None:
    files = {
        "a.py": "class A:\n    def __init__(self):\n        self.x = 1\n",
        "t.py": "import a\nKINDS = [a.A]\nONE = a.A()\nTABLE = {int: a.A}\nOTHER = [ONE.A]\n"
        "KEYS = {ONE: a.A}\ndef t1(): return KINDS\ndef t2(): return ONE\n"
        "def t3(): return TABLE\ndef t4(): return OTHER\ndef t5(): return KEYS\n",
    }
    found = run_at_import(files, "a.py", "x = 1", "x = 2", "t.py")
    made = {name for path, name in found.parts if path == "t.py"}
    assert made == {"ONE", "OTHER", "KEYS"}
    assert not found.whole
