"""What is read off sources: guards, solved values, weighed values, patterns, shapes."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from pytest_aipipe.engines.analysis.flow import answers
from pytest_aipipe.engines.analysis.guards import Guards, guards_of_branch, guards_of_line
from pytest_aipipe.engines.analysis.mined import around, doc_examples
from pytest_aipipe.engines.analysis.module import ModuleView, view
from pytest_aipipe.engines.analysis.regex import example
from pytest_aipipe.engines.analysis.shapes import shapes
from pytest_aipipe.engines.source.arguments import (
    shaped,
    with_named_results,
    with_one_condition,
)
from pytest_aipipe.engines.source.values import Value


def module(source: str) -> ModuleView:
    found = view("m.py", "m", source)
    assert found is not None
    return found


def conditions(guards: Guards) -> list[tuple[str, bool]]:
    return [(ast.unparse(c.test), c.wanted) for c in guards.conditions]


def test_an_early_return_asks_for_its_opposite() -> None:
    here = module(
        "def f(a, b):\n    if a:\n        return 1\n    if b > 2:\n        return 2\n    return 3\n"
    )
    assert conditions(guards_of_line(here, 6)) == [("a", False), ("b > 2", False)]
    assert conditions(guards_of_line(here, 5)) == [("a", False), ("b > 2", True)]


def test_each_elif_that_leaves_asks_for_its_opposite() -> None:
    here = module(
        "def f(a):\n    if a == 1:\n        return 1\n    elif a not in K:\n        return 2\n    return 3\n"
    )
    told = [(ast.unparse(c.test), c.wanted) for c in guards_of_line(here, 6).conditions]
    assert told == [("a == 1", False), ("a not in K", False)]


def test_an_elif_after_one_that_goes_on_is_not_asked_for() -> None:
    here = module(
        "def f(a):\n    if a == 1:\n        a = 2\n    elif a == 3:\n        return 2\n    return 3\n"
    )
    assert guards_of_line(here, 6).conditions == ()


@pytest.mark.parametrize(
    ("test", "key", "first"),
    [
        ("self.mode in ('fast', 'slow')", "self.mode", "'fast'"),
        ("self.stack and self.stack[-1] == 'FOR'", "self.stack", "['FOR']"),
        ("options['depth'] > 3", "options['depth']", "4"),
    ],
)
def test_what_an_attribute_should_be_is_weighed_like_a_name(
    test: str, key: str, first: str
) -> None:
    here = module(f"def f(self, options):\n    if {test}:\n        return 1\n    return 2\n")
    assert answers([guards_of_line(here, 3)], here.definitions["f"].node)[key][0] == first


def test_a_name_is_weighed_by_its_own_part_of_a_condition_on_several() -> None:
    test = "ready and (kind is int or kind is str) and word in ('begin', 'end', 'go')"
    here = module(f"def f(ready, kind, word):\n    if {test}:\n        return 1\n    return 2\n")
    function = here.definitions["f"].node
    assert answers([guards_of_line(here, 3)], function)["word"][0] == "'begin'"
    assert answers([guards_of_line(here, 4)], function)["word"][0] == "'other'"


def test_what_the_variables_of_a_loop_should_be_stands_together_in_what_is_looped_over() -> None:
    here = module(
        "def f(rows):\n    for kind, word in rows:\n"
        "        if kind == 3 and word == 'go':\n            return 1\n    return 2\n"
    )
    found = answers([guards_of_line(here, 4)], here.definitions["f"].node)
    assert found["rows"][0] == "[(3, 'go')]"
    assert "['go']" not in found["rows"]


def test_an_attribute_that_is_not_to_be_there_gets_no_value() -> None:
    here = module(
        "def f(self):\n    if not hasattr(self, '_query'):\n        return 1\n    return 2\n"
    )
    function = here.definitions["f"].node
    assert "self._query" not in answers([guards_of_line(here, 3)], function)
    assert answers([guards_of_line(here, 4)], function)["self._query"] == ["1"]


def test_a_branch_is_told_by_where_it_goes() -> None:
    here = module("def f(a):\n    if a:\n        a = 1\n    return a\n")
    assert conditions(guards_of_branch(here, (2, 3))) == [("a", True)]
    assert conditions(guards_of_branch(here, (2, 4))) == [("a", False)]


def test_a_handler_is_on_the_way_to_its_lines() -> None:
    here = module("def f(a):\n    try:\n        g(a)\n    except OSError:\n        return 1\n")
    [(block, handler)] = guards_of_line(here, 5).handlers
    assert block.lineno == 2
    assert ast.unparse(handler.type or ast.Constant(value=None)) == "OSError"


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("x == 'ab'", "x"),
        ("x > 10", "x"),
        ("len(x) >= 3", "x"),
        ("x.startswith('--') and not x.endswith('=')", "x"),
        ("x.startswith('-') and 'r' in x[1:] and not x.startswith('--')", "x"),
        ("x and ('\\n' in x or '\\r' in x)", "x"),
        ("isinstance(x, (list, tuple))", "x"),
        ("x in ('a', 'b')", "x"),
        ("not x", "x"),
        ("x is not None", "x"),
        ("'key' in x", "x"),
        ("x[0] == 'a'", "x"),
        ("-1.0 < x < 0", "x"),
    ],
)
def test_the_first_proposal_satisfies_the_condition(test: str, name: str) -> None:
    here = module(f"def f({name}):\n    if {test}:\n        return 1\n    return 2\n")
    function = here.definitions["f"].node
    found = answers([guards_of_line(here, 3)], function)[name]
    names: dict[str, Any] = {name: eval(found[0])}
    assert eval(test, names)


def test_what_a_local_should_be_is_carried_back_to_the_parameter() -> None:
    here = module(
        "def f(text):\n    words = text.split()\n    for word in words:\n"
        "        if word == 'stop':\n            return 1\n    return 2\n"
    )
    found = answers([guards_of_line(here, 5)], here.definitions["f"].node)
    assert any(value.strip("'") == "stop" for value in found["text"])


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d\d", r"(a|b)+c?", r"[^abc]x", r"^\s*#\s*(\w+)\1$", r"[\w.]+@\w+\.com"]
)
def test_a_text_is_found_that_a_pattern_matches(pattern: str) -> None:
    text = example(pattern)
    assert text is not None
    assert re.search(pattern, text)


def test_a_pattern_that_is_wrong_has_no_text() -> None:
    assert example("(") is None


def test_neighbours_of_a_literal_hold_the_edges() -> None:
    assert {"4", "2", "0", "-3"} <= set(around("3"))
    assert "''" in around("'ab'")
    assert "[]" in around("[1, 2]")
    assert around("not a literal") == []


def test_examples_keep_their_continuation_lines() -> None:
    doc = "Do.\n\n>>> for i in x:\n...     print(i)\n1\n>>> f(2)\n3\n"
    assert doc_examples(doc) == ["for i in x:\n    print(i)", "f(2)"]


def test_a_stand_in_has_what_the_body_uses() -> None:
    tree = ast.parse(
        "def f(user):\n    with user.lock:\n        return user.name.upper() + user.tags[0]\n"
    )
    [value, *_] = shaped(shapes(tree.body[0])["user"])
    assert value.expr.startswith("SimpleNamespace(")
    assert all(f"{name}=" in value.expr for name in ("lock", "name", "tags"))
    assert "nullcontext()" in value.expr


def test_what_is_entered_is_the_condition_that_is_waited_for() -> None:
    given = {
        "lock": [Value("lambda *args, **kwargs: nullcontext()", (), ("import contextlib",))],
        "cond": [Value("lambda *args, **kwargs: Condition()")],
        "size": [Value("1")],
    }
    made = with_one_condition(given)
    assert made["lock"][0].expr == made["cond"][0].expr == "lambda *args, **kwargs: condition"
    assert made["lock"][0].setup == made["cond"][0].setup == ("condition = Condition()",)
    assert [made["lock"][1:], made["size"]] == [given["lock"], given["size"]]


def test_without_a_condition_everything_stays_as_it_is() -> None:
    given = {"lock": [Value("nullcontext()")], "size": [Value("1")]}
    assert with_one_condition(given) == given


def test_what_a_function_gives_to_be_changed_has_a_name_in_the_test() -> None:
    given = {"cache": [Value("lambda *args, **kwargs: {}"), Value("{}")], "key": [Value("str")]}
    [made, plain] = with_named_results(given)["cache"]
    assert made == Value("lambda *args, **kwargs: cache_result", ("cache_result = {}",))
    assert [plain, *with_named_results(given)["key"]] == [given["cache"][1], *given["key"]]
