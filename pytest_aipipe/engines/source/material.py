"""What variations of a test draw from: texts, pieces, statements and arguments seen elsewhere."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import literals, unique
from pytest_aipipe.engines.source.existing import TestFile, test_file
from pytest_aipipe.engines.techniques.search import pool_of
from pytest_aipipe.generate.model import Material

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.situation import Situation

_TEXTS = 400
_STATEMENTS = 250
_LONG_TEXT = 3000
_LONG_STATEMENT = 160
_LONG_TOKEN = 40
_TOKENS = 150


def material_of(situation: Situation) -> Material:
    """Gather it from the gap's guards, its module, and the test files, the nearest first."""
    pool = pool_of(situation)
    files = list(_files(situation))
    texts = unique(text for file in files for text in _texts(file.tree))
    texts.sort(key=lambda text: "\n" not in text)  # whole documents before single values
    own = [_text(x) for x in (*pool.near, *pool.literals, *literals(situation.module.tree))]
    tokens = unique(t for t in own if t and len(t) <= _LONG_TOKEN)
    statements = unique(text for file in files for text in _statements(file.tree))
    appended = [text.format("subject") for text in pool.appended]
    return Material(
        texts=tuple([*texts, *tokens][:_TEXTS]),
        tokens=tuple(tokens[:_TOKENS]),
        literals=pool.literals,
        statements=tuple([*appended, *statements][:_STATEMENTS]),
        keywords=tuple((name, value) for name, values in pool.keywords for value in values[:4]),
        methods=pool.methods,
    )


def _files(situation: Situation) -> Iterator[TestFile]:
    nearest = [test.source_path for test in situation.tests]
    for path in dict.fromkeys([*nearest, *situation.scene.test_sources]):
        source = situation.scene.test_sources.get(path)
        file = test_file(path, source) if source is not None else None
        if file is not None:
            yield file


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a test file, docstrings left out."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            text = node.value
            if 1 < len(text) <= _LONG_TEXT and (not text.isidentifier()):
                yield text


def _text(source: str) -> str:
    try:
        value = syntax.literal(source)
    except (ValueError, SyntaxError):
        return ""
    return value if isinstance(value, str) else ""


def _statements(tree: ast.Module) -> Iterator[str]:
    """Yield short plain statements of test functions; of assertions, what they call."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
            continue
        for statement in ast.walk(node):
            text = _statement(statement)
            if text and len(text) <= _LONG_STATEMENT and "self" not in text:
                yield text


def _statement(node: ast.AST) -> str:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
        return ast.unparse(node)
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
        return ast.unparse(node)
    if isinstance(node, ast.Assert):
        left = node.test.left if isinstance(node.test, ast.Compare) else node.test
        if isinstance(left, ast.Call | ast.Subscript):
            return ast.unparse(left)
    return ""
