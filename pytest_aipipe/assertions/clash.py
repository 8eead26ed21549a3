"""Names that an assertion needs and the test has given to something else.

A test that imports ``from datetime import datetime`` cannot also say
``datetime.datetime(2013, 9, 6)`` after ``import datetime``: whichever import comes last wins.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_aipipe.explore.fact import Fact
    from pytest_aipipe.generate.model import Candidate

Bindings = dict[str, str]
"""A name to the statement that binds it, as one normalised import or ``def``'s first line."""


def without_clash(candidate: Candidate, fact: Fact) -> Fact:
    """Return ``fact`` with its imports and code changed so that they rebind no name of the test.

    Only what the assertion compares with is rewritten, never the expression it looks at.
    """
    taken = _bindings(candidate.prelude) | _locals(candidate.function)
    code, imports = fact.code, []
    for statement in fact.imports:
        clash = [
            name
            for name, bound in _bindings((statement,)).items()
            if taken.get(name, bound) != bound
        ]
        if not clash:
            imports.append(statement)
            continue
        code, needed = _rewritten(code, statement, clash[0], taken)
        imports += needed
    return replace(fact, code=code, imports=tuple(imports))


def _rewritten(code: str, statement: str, name: str, taken: Bindings) -> tuple[str, list[str]]:
    head, expected = _split(code)
    if statement.startswith("import "):
        parts = sorted(set(re.findall(rf"\b{name}\.(\w+)", expected)))
        wanted = [f"from {name} import {part}" for part in parts]
        if all(taken.get(part, one) == one for part, one in zip(parts, wanted, strict=True)):
            return head + re.sub(rf"\b{name}\.(\w+)", r"\1", expected), wanted
        other = f"{name}_module"
        return head + re.sub(rf"\b{name}\.", f"{other}.", expected), [f"{statement} as {other}"]
    other = f"expected_{name}"
    return head + re.sub(rf"\b{name}\b", other, expected), [f"{statement} as {other}"]


def _split(code: str) -> tuple[str, str]:
    """Return the assertion's beginning, up to what it looks at, and the rest."""
    for mark in (" == ", " is ", ", "):
        head, found, rest = code.partition(mark)
        if found:
            return head + found, rest
    return "", code


def _bindings(statements: Iterable[str]) -> Bindings:
    found: Bindings = {}
    for statement in statements:
        try:
            body = syntax.parse(statement).body
        except SyntaxError:
            continue
        for node in body:
            if isinstance(node, ast.Import):
                for one in node.names:
                    found[one.asname or one.name.partition(".")[0]] = f"import {_said(one)}"
            elif isinstance(node, ast.ImportFrom):
                start = f"from {'.' * node.level}{node.module or ''} import "
                for one in node.names:
                    found[one.asname or one.name] = start + _said(one)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[node.name] = f"def {node.name}"
    return found


def _locals(function: str) -> Bindings:
    """Return what the test itself assigns: it hides a module's names, a class's own included."""
    nodes = list(ast.walk(syntax.parse(function)))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return dict.fromkeys(stored | {n.arg for n in nodes if isinstance(n, ast.arg)}, "a local")


def _said(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name
