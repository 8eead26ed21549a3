"""Rules that look at a test's text; each answers with a reason to reject, or None.

The rules that run it are in :mod:`pytest_aipipe.gate.fresh`. A conftest can add rules
through the hook ``pytest_aipipe_gate``: any object with a ``name`` and a ``reject``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aipipe_core import syntax
from pytest_aipipe.assertions.observe import has_assertion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.generate.model import Arc, Candidate

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+|0x[0-9a-f]{9,}")
_TEST_MODULE = re.compile(r"(^|\.)(test_\w*|\w*_test)$")
_DESCRIPTOR = re.compile(r"<_io\.\w+ name=\d+")
_TEMPORARY = re.compile(r"/tmp/|/var/folders/|pytest-of-|AppData\\\\Local\\\\Temp")  # noqa: S108
_PLATFORM = re.compile(
    r"""\bsys(?:\.|['"]?,\s*['"])(?:platform|version_info)\b|\bos(?:\.|['"]?,\s*['"])name\b"""
    r"""|\bplatform(?:\.|['"]?,\s*['"])system\b"""
)
_SETTERS = ("setattr", "patch", "patch.object")
_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex"})
_LACKS = {
    "ImportError": ("No module named", "cannot import name"),
    "ModuleNotFoundError": ("No module named",),
    "AttributeError": ("^module ", "no attribute"),
}


@dataclass(frozen=True, slots=True)
class Admission:
    """A test at the gate: its candidate, final text, and what it newly reached."""

    candidate: Candidate
    text: str
    path: str
    symbol: str
    lines: frozenset[int]
    arcs: frozenset[Arc]


class Rule(Protocol):
    """One rule of the gate."""

    name: str

    def reject(self, test: Admission) -> str | None:
        """Return why ``test`` must not be admitted, or None."""
        ...


class Parses:
    """The text is Python."""

    name = "parses"

    def reject(self, test: Admission) -> str | None:
        """Return the syntax error, if there is one."""
        try:
            syntax.parse(test.text)
        except (SyntaxError, ValueError) as error:
            return f"does not parse: {error}"
        return None


class Asserts:
    """It can fail for another reason than an unexpected error."""

    name = "asserts"

    def reject(self, test: Admission) -> str | None:
        """Reject a test without an assertion that a fault could trip."""
        return None if has_assertion(test.candidate.function) else "asserts nothing"


class Stable:
    """It names no address, no number of an open file and no temporary path."""

    name = "stable"

    def reject(self, test: Admission) -> str | None:
        """Reject text that cannot be true on another machine."""
        for node in ast.walk(syntax.parse(test.candidate.function)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if _ADDRESS.search(node.value):
                    return "asserts on a memory address"
                if _DESCRIPTOR.search(node.value):
                    return "asserts on the number of an open file"
                if _TEMPORARY.search(node.value) and _in_assert(test.candidate.function, node):
                    return "asserts on a temporary path"
        return None


def _in_assert(source: str, constant: ast.Constant) -> bool:
    return any(
        isinstance(node, ast.Assert) and node.lineno <= constant.lineno <= (node.end_lineno or 0)
        for node in ast.walk(syntax.parse(source))
    )


class Names:
    """Every name that the test reads is bound: by it, its prelude, a fixture or Python."""

    name = "names"

    def reject(self, test: Admission) -> str | None:
        """Reject a name that nothing binds; compilation tells which names are global."""
        import builtins
        import symtable

        table = symtable.symtable(test.text, "<test>", "exec")
        bound = {
            one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()
        }
        bound |= {one.get_name() for one in table.get_symbols() if one.is_namespace()}
        if any("import *" in one for one in test.candidate.prelude):
            return None
        todo = list(table.get_children())
        while todo:
            scope = todo.pop()
            todo += scope.get_children()
            for one in scope.get_symbols():
                known = one.get_name() in bound or hasattr(builtins, one.get_name())
                special = one.get_name().startswith("__")
                if one.is_global() and one.is_referenced() and not known and not special:
                    return f"reads the name {one.get_name()}, which nothing binds"
        return None


class Alone:
    """It brings no other tests along: pytest collects what a file imports like what it defines."""

    name = "alone"

    def reject(self, test: Admission) -> str | None:
        """Reject a test class or function that comes from another test module, as a base say."""
        for node in syntax.parse(test.text).body:
            if isinstance(node, ast.ImportFrom) and _TEST_MODULE.search(node.module or ""):
                for one in node.names:
                    if (one.asname or one.name).lower().startswith("test"):
                        return f"imports {one.name}, whose tests would run with it"
        return None


class Ported:
    """It does not state an error that only pretending to be on another platform makes.

    What the platform would have had is missing where the test runs, and there alone.
    """

    name = "ported"

    def reject(self, test: Admission) -> str | None:
        """Reject a test that sets the platform and expects that something is missing."""
        tree = syntax.parse(test.candidate.function)
        if any(_sets_platform(node) for node in ast.walk(tree)):
            for node in ast.walk(tree):
                missing = _missing(node)
                if missing:
                    return f"states {missing}, which the pretended platform makes"
        return None


def _sets_platform(node: ast.AST) -> bool:
    target = ""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(_SETTERS):
        target = ", ".join(ast.unparse(one) for one in node.args[:2])
    elif isinstance(node, ast.Assign):
        target = ast.unparse(node.targets[0])
    return bool(_PLATFORM.search(target))


def _missing(node: ast.AST) -> str | None:
    """Return the error of something missing that a call of ``raises`` expects."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    if ast.unparse(node.func).rpartition(".")[2] not in _RAISES:
        return None
    kind = ast.unparse(node.args[0])
    said = " ".join(ast.unparse(one) for one in (*node.args[1:], *(k.value for k in node.keywords)))
    if kind in {"NameError", "UnboundLocalError"}:
        return kind
    words = _LACKS.get(kind)
    return kind if words and (not said or any(one in said for one in words)) else None


RULES: tuple[Rule, ...] = (Parses(), Names(), Asserts(), Stable(), Alone(), Ported())


def first_rejection(test: Admission, rules: Sequence[Rule]) -> str | None:
    """Return the first rule's reason, with the rule's name, or None."""
    for rule in rules:
        reason = rule.reject(test)
        if reason:
            return f"{rule.name}: {reason}"
    return None
