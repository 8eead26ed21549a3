from __future__ import annotations

import pytest

from tests.unit.pytest_aipipe.select.asked import demand, lines


def test_a_method_of_another_signature_concerns_who_names_it_and_uses_the_class() -> None:
    files = {
        "a.py": "class A:\n    def f(self): ...\n",
        "t.py": "from a import A\ndef test():\n    A().f()\ndef test_no():\n    A()\n",
    }
    found = demand(files, "a.py", "(self)", "(self, x=1)")
    (clause,) = (clause for clause in found.clauses if len(clause.wanted) > 1)
    assert clause.wanted[0] == {("t.py", "d"): (frozenset({3}), frozenset())}


def test_a_new_method_of_a_class_from_elsewhere_may_be_called_by_what_no_one_sees() -> None:
    files = {"a.py": "import ast\nclass V(ast.NodeVisitor):\n    def f(self): ...\n"}
    new = "    def visit_Name(self, n): ...\n    def f(self): ...\n"
    found = demand(files, "a.py", "    def f(self): ...\n", new)
    assert ("a.py", "V") in found.parts


def test_a_new_test_of_a_class_concerns_none_of_its_other_tests() -> None:
    files = {
        "t.py": "from unittest import TestCase\nclass T(TestCase):\n    def test_a(self): ...\n"
    }
    more = "    def test_b(self): ...\n    def test_a(self): ...\n"
    found = demand(files, "t.py", "    def test_a(self): ...\n", more)
    assert found.parts.keys() == {("t.py", "test_b")}
    setting = "    def setUp(self): ...\n    def test_a(self): ...\n"
    assert ("t.py", "T") in demand(files, "t.py", "    def test_a(self): ...\n", setting).parts


def test_a_default_that_changes_concerns_who_calls_the_method_only() -> None:
    files = {
        "a.py": "LIMIT = 1\nclass A:\n    def f(self, n=LIMIT):\n        return n\n"
        "    def g(self): ...\n",
        "t.py": "from a import A\ndef t():\n    A().g()\n",
    }
    found = demand(files, "a.py", "LIMIT = 1", "LIMIT = 2")
    entries = {e for c in found.clauses for w in c.wanted for p in w.values() if p for e in p[1]}
    assert entries == {3}
    assert not lines(found, "t.py")
    assert not found.parts.keys() - {("a.py", "LIMIT")}


VISITOR = "class V:\n    def go(self, kind):\n        return getattr(self, 'do_' + kind, None)\n"


def test_a_new_method_concerns_who_looks_names_up_that_are_computed() -> None:
    files = {"a.py": VISITOR}
    found = demand(files, "a.py", "    def go", "    def do_it(self): ...\n    def go")
    asked = [one.wanted[0]["a.py", "d"] for one in found.clauses]
    assert any(lines is not None and set(lines[0]) == {3} for lines in asked)


def test_what_hands_on_what_it_is_asked_for_computes_no_name() -> None:
    source = "class V:\n    def __getattr__(self, name):\n        return getattr(self.x, name)\n"
    found = demand({"a.py": source}, "a.py", "    def __g", "    def new(self): ...\n    def __g")
    assert not lines(found, "a.py")


@pytest.mark.parametrize(
    "source",
    [
        "class A(ABC):\n    @abstractmethod\n    def x(self): ...\nclass B(A):\n    y = 1\n",
        "class A:\n    def __init_subclass__(cls): ...\nclass B(A):\n    y = 1\n",
        "class B(metaclass=M):\n    y = 1\n",
        "class B:\n    y = 1\nclass C(B, metaclass=M): ...\n",
        "@seen\nclass B:\n    y = 1\n",
    ],
)
def test_a_new_method_that_somebody_may_look_for_concerns_who_uses_the_class(source: str) -> None:
    found = demand({"a.py": source}, "a.py", "    y = 1\n", "    y = 1\n    def x(self): ...\n")
    assert ("a.py", "B") in found.parts


def test_a_new_abstract_method_concerns_who_uses_the_class() -> None:
    source = "class A:\n    y = 1\n"
    new = "    y = 1\n    @abstractmethod\n    def x(self): ...\n"
    assert ("a.py", "A") in demand({"a.py": source}, "a.py", "    y = 1\n", new).parts


TESTS = "class TestA:\n    def test_one(self):\n        assert getattr(self, 'test_' + 'one')\n"


def test_a_mark_of_a_test_concerns_that_test_and_those_who_inherit_it() -> None:
    files = {
        "t.py": "import pytest\nclass TestA:\n    def test_a(self): ...\n    def test_b(self): ...\n",
        "u.py": "from t import TestA\nclass TestU(TestA): ...\n",
    }
    marked = "    @pytest.mark.parametrize('x', [1])\n    def test_a(self, x): ..."
    found = demand(files, "t.py", "    def test_a(self): ...", marked)
    assert found.parts.keys() == {("t.py", "test_a"), ("u.py", "test_a")}
    patched = "    @mock.patch('t.x')\n    def test_a(self): ..."
    assert ("t.py", "TestA") in demand(files, "t.py", "    def test_a(self): ...", patched).parts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    @pytest.mark.skip\n", ""),
        ("    def test_a(self): ...", "    def test_a(self): ...\n    def test_b(self): ..."),
    ],
)
def test_a_test_of_a_class_that_stands_elsewhere_is_that_of_its_heirs(old: str, new: str) -> None:
    files = {
        "base.py": "import pytest\nclass Base:\n    @pytest.mark.skip\n    def test_a(self): ...\n",
        "t.py": "from base import Base\nclass TestIt(Base): ...\n",
    }
    found = demand(files, "base.py", old, new, {"t.py"})
    assert ("t.py", "test_b" if "test_b" in new else "test_a") in found.parts


def test_a_new_test_concerns_no_code_that_is_tested() -> None:
    looking = "def look(one, name):\n    return getattr(one, name)\n"
    files = {"src/a.py": looking, "tests/t.py": TESTS, "tests/helpers.py": looking}
    new = "    def test_two(self): ...\n    def test_one"
    found = demand(files, "tests/t.py", "    def test_one", new)
    assert not lines(found, "src/a.py")
    assert lines(found, "tests/helpers.py") == {2}
    assert 3 in lines(found, "tests/t.py")


@pytest.mark.parametrize("kind", ["staticmethod", "classmethod", "property"])
def test_an_annotation_of_a_method_that_is_only_called_concerns_no_other_user(kind: str) -> None:
    text = f"class A:\n    @{kind}\n    def f(self): ...\n    def g(self): ...\n"
    files = {"a.py": text, "t.py": "from a import A\ndef test():\n    A().g()\n"}
    found = demand(files, "a.py", "def f(self):", "def f(self) -> int:")
    assert not lines(found, "t.py")
    assert ("a.py", "A") not in found.parts
    other = demand(files, "a.py", f"@{kind}", "@register")
    assert ("a.py", "A") in other.parts


def test_a_new_name_of_a_test_file_is_no_text_in_it_that_leads_nowhere() -> None:
    text = "import a\ndef test():\n    assert a.size == 'DEBUG'\n"
    new = "import a\nDEBUG = 1\n"
    assert not lines(demand({"t.py": text}, "t.py", "import a\n", new), "t.py")
    inside = text.replace("a.size", "globals().get('x', a)")
    assert lines(demand({"t.py": inside}, "t.py", "import a\n", new), "t.py") == {3}


@pytest.mark.parametrize(
    ("looking", "concerned"),
    [
        ("vars(one)", False),
        ("one.__dict__", False),
        ("self.one.__dict__", False),
        ("vars(A)", True),
        ("cls.__dict__", True),
        ("type(one).__dict__", True),
        ("one.__class__.__dict__", True),
        ("dir(one)", True),
        ("getmembers(one)", True),
        ("vars(one) | dir(one)", True),
    ],
)
def test_a_new_method_concerns_who_looks_through_what_may_be_its_class(
    looking: str, *, concerned: bool
) -> None:
    text = f"class A:\n    def show(self): ...\ndef look(one, self, cls):\n    return {looking}\n"
    found = demand({"a.py": text}, "a.py", "class A:\n", "class A:\n    def more(self): ...\n")
    assert (4 in lines(found, "a.py")) is concerned
