"""Test files with the classes that their own inherit from, where other test files define them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.module import import_statements
from pytest_aipipe.engines.source.existing import test_file
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_aipipe.engines.source.existing import TestFile

_DEEP = 4
"""Files that are read for one class at most."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A base class and the import that brings it: ``name`` is its name where it is used."""

    name: str
    original: str
    path: Path


def whole_file(path: Path, sources: Mapping[Path, str], deep: int = _DEEP) -> TestFile | None:
    """Return a test file in which the base classes from other test files are its own.

    pytest collects the tests of a class that a file imports, and a folder of tests need not be
    importable from another one, so a copy cannot import them. What such a class needs comes
    with it. Where that would give a name of the file another meaning, the import stays. None
    where the file cannot be read or parsed.
    """
    source = sources.get(path)
    file = test_file(path, source) if source is not None else None
    if file is None or not deep:
        return file
    added: list[str] = []
    placed: list[Imported] = []
    known = {name: {_meaning(file, one, name) for one in given}
             for name, given in file.bound.items()}  # fmt: skip
    for base in _imported(file, path, sources):
        texts = _brought(base, sources, deep)
        means = {name: text for text in texts for name in _names(text)}
        own = {name: text for name, text in means.items() if name != base.name}
        if texts and all(_agree(known.get(name, {text}), text) for name, text in own.items()):
            added += [
                text
                for text in texts
                if not any(
                    name in known and text not in known[name] for name in own if means[name] == text
                )
            ]
            known |= {name: {text} for name, text in means.items()}
            placed.append(base)
    return _joined(path, file.tree, tuple(dict.fromkeys(added)), tuple(placed)) if placed else file


def _imported(file: TestFile, path: Path, sources: Mapping[Path, str]) -> Iterator[Imported]:
    """Yield the bases of a file's classes that it imports from another of ``sources``."""
    named = {
        base.id: None
        for node in file.tree.body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }
    for node in file.tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        statements = import_statements(node, file.package)
        for alias in node.names:
            name = alias.asname or alias.name
            if name in named and len(file.bound[name]) == 1 and name in statements:
                module = statements[name].split()[1]
                where = _file_of(module, path, sources)
                if where is not None:
                    yield Imported(name, alias.name, where)


def _file_of(module: str, beside: Path, sources: Mapping[Path, str]) -> Path | None:
    """Return the test file that is imported as ``module``: the one that shares most folders."""
    parts = tuple(module.split("."))
    found = [
        path
        for path in sources
        if path != beside and path.with_suffix("").parts[-len(parts) :] == parts
    ]
    return max(found, key=lambda path: (_shared(path, beside), str(path)), default=None)


def _shared(one: Path, other: Path) -> int:
    pairs = zip(one.parts, other.parts, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), 0)


def _brought(base: Imported, sources: Mapping[Path, str], deep: int) -> list[str]:
    """Return the class with the statements that it needs before it; empty where there is none."""
    other = whole_file(base.path, sources, deep - 1)
    defined = other.bound.get(base.original, []) if other is not None else []
    if other is None or len(defined) != 1 or not isinstance(defined[0], ast.ClassDef):
        return []
    texts = other.needed(ast.Name(base.original, ast.Load()), tests=True)
    if base.name == base.original:
        return list(texts)
    return [_renamed(text, base) for text in texts]


def _renamed(text: str, base: Imported) -> str:
    tree = clone(syntax.parse(text))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == base.original:
            node.name = base.name
        elif isinstance(node, ast.Name) and node.id == base.original:
            node.id = base.name
    return ast.unparse(tree)


def _meaning(file: TestFile, statement: ast.stmt, name: str) -> str:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return import_statements(statement, file.package).get(name, "")
    return ast.unparse(statement)


def _agree(known: set[str], text: str) -> bool:
    """Whether a name means one thing: what a package hands on is what its module defines."""
    return known == {text} or {_origin(one) for one in known} == {_origin(text)} != {None}


def _origin(text: str) -> tuple[str, str] | None:
    """Return the package and the name that ``from a.b import c`` imports; None for all else."""
    words = text.split()
    plain = len(words) == 4 and words[0] == "from" and words[2] == "import"  # noqa: PLR2004
    return (words[1].split(".")[0], words[3]) if plain else None


def _names(text: str) -> list[str]:
    """Return the names that a statement binds at module level."""
    file = test_file(Path("statement.py"), text)
    return list(file.bound) if file is not None else []


@lru_cache(maxsize=32)
def _joined(
    path: Path, tree: ast.Module, added: tuple[str, ...], placed: tuple[Imported, ...]
) -> TestFile | None:
    """Parse the file with ``added`` after its imports, and without those of what was ``placed``."""
    gone = {one.name for one in placed}
    imports: list[ast.stmt] = []
    rest: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            left = [one for one in node.names if (one.asname or one.name) not in gone]
            if left:
                imports.append(ast.ImportFrom(node.module, left, node.level))
        else:
            (imports if isinstance(node, ast.Import) else rest).append(node)
    parts = [_text(imports), *added, _text(rest)]
    return test_file(path, "\n".join(parts))


def _text(body: list[ast.stmt]) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Module(body=body, type_ignores=[])))
