"""Other inputs of the same kind are tried where a fault survives."""

from __future__ import annotations

import ast
from random import Random

from aipipe_core import syntax
from pytest_aipipe.generate.edges import LONGEST
from pytest_aipipe.generate.model import Candidate
from pytest_aipipe.generate.varied import MOST, texts_in, tokens_in, varied


def variants(body: str, seed: int = 1, **more: list[str]) -> list[str]:
    candidate = Candidate("amplify", "test_it", f"def test_it():\n    {body}\n")
    found = varied(candidate, Random(seed), **more)
    assert {one.technique for one in found} <= {"varied"}
    return [one.function.removeprefix("def test_it():\n    ").rstrip("\n") for one in found]


def test_one_text_or_number_is_another_one_and_the_test_stays_as_it_was() -> None:
    found = variants("result = shown('one two', width=3)")
    assert 1 < len(found) <= MOST
    assert len(set(found)) == len(found)
    for one in found:
        (call,) = (n for n in ast.walk(syntax.parse(one)) if isinstance(n, ast.Call))
        text, width = call.args[0], call.keywords[0].value
        assert (ast.unparse(text) == "'one two'") != (ast.unparse(width) == "3")


def test_a_flag_is_turned() -> None:
    assert variants("result = shown(wide=True)") == ["result = shown(wide=False)"]


def test_the_same_seed_gives_the_same_variants_and_another_one_others() -> None:
    body = "result = shown('one two three')"
    assert variants(body) == variants(body)
    assert variants(body) != variants(body, seed=2)


def test_texts_of_the_tests_and_of_the_code_are_put_in() -> None:
    found = [one for seed in range(9)
             for one in variants("result = shown('one')", seed, texts=["# four"], tokens=["%%"])]  # fmt: skip
    assert any("four" in one for one in found)
    assert any("%%" in one for one in found)


def test_what_is_asserted_and_how_long_something_waits_stays_as_it_is() -> None:
    assert variants("time.sleep(3)\n    result = f(timeout=2)\n    assert result == 'one'") == []
    assert variants("result = f(given)") == []


def test_the_texts_of_tests_are_those_that_they_pass() -> None:
    sources = [
        "def test_f():\n    a = 'no'\n    f('one', b='two')\n    f('one', '')\n",
        "def broken(",
        f"f({'x' * (LONGEST + 1)!r})",
    ]
    assert texts_in(sources) == ["one", "two"]


def test_the_tokens_of_code_are_the_short_texts_on_its_lines() -> None:
    source = "a = '='\nb = '-' if a else '-'\nc = 'much longer than a token'\nd = 3\n"
    lines = {"shop.py": frozenset({2, 3, 4}), "gone.py": frozenset({1})}
    assert tokens_in({"shop.py": source}, lines) == ["-"]
