from __future__ import annotations

import ast
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.mutate.make import make_mutants, survey

if TYPE_CHECKING:
    from pytest_aipipe.mutate.model import Mutant


def every(source: str, **caps: int) -> list[Mutant]:
    text = dedent(source).lstrip("\n")
    lines = frozenset(range(1, text.count("\n") + 2))
    return make_mutants(text, lines, **{"per_line": 50, "total": 500, **caps})


def edits(source: str) -> set[tuple[str, str, str]]:
    return {(m.operator, m.before, m.after) for m in every(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a + b\n", ("arithmetic", "a + b", "a - b")),
        ("x = (a) - (b)\n", ("arithmetic", "(a) - (b)", "(a) + (b)")),
        ("x = a ** b\n", ("arithmetic", "a ** b", "a * b")),
        ("x = a & b\n", ("bitwise", "a & b", "a | b")),
        ("x = a << 2\n", ("bitwise", "a << 2", "a >> 2")),
        ("x = a and b\n", ("boolean", "a and b", "a or b")),
        ("x = a or b\n", ("boolean", "a or b", "a and b")),
        ("x = a < b\n", ("boundary", "a < b", "a <= b")),
        ("x = a < b\n", ("comparison", "a < b", "a >= b")),
        ("x = a is not b\n", ("comparison", "a is not b", "a is b")),
        ("x = a not in b\n", ("comparison", "a not in b", "a in b")),
        ("x = not a\n", ("not", "not a", "a")),
        ("x = -a\n", ("arithmetic", "-a", "a")),
        ("f(7)\n", ("constant", "7", "8")),
        ("f(7)\n", ("constant", "7", "6")),
        ("f(0)\n", ("constant", "0", "(-1)")),
        ("f(True)\n", ("constant", "True", "False")),
        ("f(None)\n", ("constant", "None", "1")),
        ("f('a')\n", ("string", "'a'", "'XXaXX'")),
        ("f('')\n", ("string", "''", "'XX'")),
        ("f(b'a')\n", ("string", "b'a'", "b'XXaXX'")),
        ("f(f'{a}')\n", ("string", "f'{a}'", '"XX"')),
        ("if a.b():\n    c()\n", ("condition", "a.b()", "(not (a.b()))")),
        ("if a.b():\n    c()\n", ("condition", "a.b()", "True")),
        ("x = 1 if a.b() else 2\n", ("condition", "a.b()", "False")),
        ("def f(a):\n    return a\n", ("return", "a", "None")),
        ("def f(a):\n    yield a\n", ("return", "a", "None")),
        ("f()\n", ("statement", "f()", "pass")),
        ("a.b = c\n", ("statement", "a.b = c", "pass")),
        ("a = b()\n", ("assignment", "b()", "None")),
        ("a += 2\n", ("arithmetic", "a += 2", "a -= 2")),
        ("raise ValueError('no')\n", ("statement", "raise ValueError('no')", "pass")),
        (
            "raise ValueError('no')\n",
            ("exception", "raise ValueError('no')", "raise ArithmeticError('no')"),
        ),
        ("try:\n    f()\nexcept KeyError:\n    g()\n", ("exception", "KeyError", "()")),
        ("try:\n    f()\nexcept:\n    g()\n", ("exception", "except", "except ()")),
        ("for a in b:\n    if a: break\n", ("loop", "break", "continue")),
        ("for a in b:\n    if a: continue\n    f()\n", ("loop", "continue", "break")),
        ("x = a[1:]\n", ("slice", "1:", "None:")),
        ("f(a, b=c)\n", ("argument", "f(a, b=c)", "f(a)")),
        ("f(b=c)\n", ("argument", "f(b=c)", "f()")),
        ("def f(a=3): return a\n", ("constant", "3", "4")),
        ("x = [a for a in b if a]\n", ("condition", "a", "(not (a))")),
    ],
)
def test_each_kind_of_fault_is_made(source: str, expected: tuple[str, str, str]) -> None:
    assert expected in {
        (operator, before, after.strip()) for operator, before, after in edits(source)
    }


AWKWARD = '''
import logging
from typing import TYPE_CHECKING, TypeVar
if TYPE_CHECKING:
    LIMIT = 3
T = TypeVar("T")
__all__ = ["f"]
log = logging.getLogger(__name__)


def f(ä: "int" = 4, *, öl: dict[str, "int"] | None = None) -> "str":
    """Say 1 + 1."""
    log.debug("ä %s", 1 + 1)
    text = "ß" + (
        "ü"
        + str(ä)
    )
    if (ä <
            9):
        return call(
            text, öl=öl,
            end="",
        )
    if ä == 99:  # pragma: no cover
        return 1 + 1
    while ä < 3:
        ä += 1
    return text[1:
        3]
'''


def test_every_mutant_compiles_and_keeps_the_number_of_every_line() -> None:
    mutants = every(AWKWARD)
    assert len(mutants) > 25
    for mutant in mutants:
        ast.parse(mutant.source)
        assert mutant.source.count("\n") == AWKWARD.lstrip("\n").count("\n")
        assert mutant.first <= mutant.line <= mutant.last


def test_what_nobody_tests_is_left_alone() -> None:
    lines = AWKWARD.lstrip("\n").splitlines()
    touched = {lines[mutant.line - 1].strip() for mutant in every(AWKWARD)}
    for untouched in (
        "LIMIT = 3",
        'T = TypeVar("T")',
        '__all__ = ["f"]',
        '"""Say 1 + 1."""',
        'log.debug("ä %s", 1 + 1)',
        "return 1 + 1",
    ):
        assert untouched not in touched
    assert not any("int" in m.before for m in every(AWKWARD))


def test_a_loop_is_never_made_endless_by_a_constant_condition() -> None:
    assert ("condition", "a.b()", "True") not in edits("while a.b():\n    c()\n")


def test_only_the_lines_asked_for_are_mutated_and_always_in_the_same_way() -> None:
    source = "a = b + c\nd = e + f\n"
    mutants = make_mutants(source, frozenset({2}))
    assert {mutant.line for mutant in mutants} == {2}
    assert mutants == make_mutants(source, frozenset({2}))


def test_a_line_keeps_many_kinds_when_it_has_too_many_mutants() -> None:
    kept = every("x = f(1, 2, 3, 'a', b=4) if a < 2 and c else d + 1\n", per_line=5)
    assert len(kept) == 5
    assert len({mutant.operator for mutant in kept}) == 5


def test_the_total_is_spread_over_the_lines() -> None:
    kept = every("a = 1 + b\n" * 8, total=8)
    assert sorted(mutant.line for mutant in kept) == list(range(1, 9))


def test_source_that_does_not_parse_has_no_mutants() -> None:
    assert make_mutants("def f(:\n", frozenset({1})) == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f():\n    x = 3\n    return 2\n", "x is never read"),
        (
            "import sys\nif sys.version_info >= (3, 1):\n    a()\n",
            "has the same answer on this interpreter and platform",
        ),
        ("def f(a):\n    for b in a:\n        g(b)\n        continue\n", ""),
    ],
)
def test_what_can_be_shown_to_be_equivalent_is_set_aside(source: str, reason: str) -> None:
    found = survey(source, frozenset(range(1, 9)), per_line=50)
    reasons = {equivalent.reason for equivalent in found.set_aside}
    assert reasons == ({reason} if reason else set())


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    x = 3\n    return locals()\n",
        "def f():\n    global x\n    x = 3\n",
        "def f():\n    x = 3\n    def g():\n        return x\n    return g\n",
        "def f():\n    x = 3\n    x += 1\n",
        "def f():\n    class A:\n        x = 3\n    return A\n",
        "x = 3\n",
    ],
)
def test_a_value_that_may_be_seen_is_not_set_aside(source: str) -> None:
    found = survey(source, frozenset(range(1, 9)), per_line=50)
    assert found.set_aside == ()
    assert any(mutant.before == "3" for mutant in found.mutants)
