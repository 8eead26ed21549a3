"""How tests and docstrings call something elsewhere, as expressions that stand alone."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import doc_examples, unique
from pytest_aipipe.engines.analysis.module import import_statements
from pytest_aipipe.engines.source.edits import called
from pytest_aipipe.engines.source.existing import TestFile, names_used, test_file
from pytest_aipipe.engines.source.values import Value

if TYPE_CHECKING:
    from pytest_aipipe.engines.situation import Situation

_MOST = 40
_LONG = 400


def usages(situation: Situation, name: str) -> list[Value]:
    """Return calls of ``name`` (by its last part) that need no local variable, shortest first.

    Where ``partial`` binds arguments to it, they are those of a call.
    """
    found: dict[str, Value] = {}
    for path, source in situation.scene.test_sources.items():
        if name not in source:
            continue
        file = test_file(path, source)
        if file is None:
            continue
        for found_call in ast.walk(file.tree):
            if not isinstance(found_call, ast.Call):
                continue
            node = _completed(found_call)
            if called(node) == name and _stands_alone(node, file):
                text = ast.unparse(node)
                if len(text) <= _LONG and text not in found:
                    found[text] = Value(text, imports=file.needed(node))
                if len(found) >= _MOST:
                    break
    return sorted(found.values(), key=lambda v: len(v.expr))


def _completed(node: ast.Call) -> ast.Call:
    """Return the call that calling a ``partial`` makes; any other call as it is."""
    if called(node) != "partial" or not node.args:
        return node
    made = ast.Call(node.args[0], node.args[1:], node.keywords)
    return ast.copy_location(made, node)


def _stands_alone(node: ast.AST, file: TestFile) -> bool:
    inner: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            inner.add(part.arg)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            inner.add(part.id)
    free = [n for n in names_used(node) if n not in inner]
    return all(n in file.bound or n in dir(builtins) for n in free)


def examples(situation: Situation) -> list[list[str]]:
    """Return the doctest sessions of the gap's symbols, classes and module, nearest first."""
    found: list[list[str]] = []
    nodes: list[ast.AST] = []
    for definition in situation.targets:
        holder = definition
        while True:
            nodes.append(holder.node)
            if holder.owner is None:
                break
            holder = holder.owner
    nodes += [c.node for d in situation.targets for c in situation.callers(d)]
    nodes.append(situation.module.tree)
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            session = doc_examples(ast.get_docstring(node))
            if session and session not in found:
                found.append(session)
    return found


def _as_tests_do(situation: Situation, name: str) -> str:
    """Return how a test file imports ``name``; from the top package where none does."""
    for path, source in situation.scene.test_sources.items():
        file = test_file(path, source) if name in source else None
        for node in file.bound.get(name, []) if file is not None else []:
            if isinstance(node, ast.Import | ast.ImportFrom) and file is not None:
                return import_statements(node, file.package).get(name, "")
    quoted = (f"'{name}'", f'"{name}"')  # a module may bind names by their text
    made = any(text in situation.module.source for text in quoted)
    where = situation.module.name if made else situation.module.name.split(".", maxsplit=1)[0]
    return f"from {where} import {name}"


def module_imports(situation: Situation, lines: list[str]) -> tuple[str, ...]:
    """Return imports for the names that ``lines`` use and the module defines or imports."""
    try:
        tree = syntax.parse("\n".join(lines))
    except SyntaxError:
        return ()
    bound = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    module = situation.module
    own = {d.name for d in module.definitions.values() if d.owner is None}
    own |= {
        t.id
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Name)
    }
    found = []
    for name in names_used(tree):
        if name in own and name not in bound:
            found.append(f"from {module.name} import {name}")
        elif name in module.imported and name not in bound:
            found.append(module.imported[name])
        elif name not in bound:
            found.append(_as_tests_do(situation, name))
    return tuple(unique(found))
