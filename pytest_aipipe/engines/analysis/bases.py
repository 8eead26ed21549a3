"""Constructors that a class inherits, from its own module or from another one of the project."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.module import view

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.engines.analysis.module import Definition, ModuleView

_DEEP = 6
"""Modules that are read for one class at most."""


def constructor_of(
    module: ModuleView, owner: Definition, root: Path, deep: int = _DEEP
) -> Definition | None:
    """Return what builds an instance of ``owner``, None where the project defines nothing.

    A base that ``module`` imports is looked for beside it, below ``root``. Never raises.
    """
    own = module.method(owner, "__init__") or module.method(owner, "__new__")
    if own is not None or not deep or not isinstance(owner.node, ast.ClassDef):
        return own
    for base in owner.node.bases:
        text = ast.unparse(base)
        near = module.definitions.get(text)
        if near is not None and near is not owner:
            found = constructor_of(module, near, root, deep - 1)
        else:
            found = _elsewhere(module, text, root, deep)
        if found is not None:
            return found
    return None


def _elsewhere(module: ModuleView, base: str, root: Path, deep: int) -> Definition | None:
    """Return the constructor of a base that is imported, by its name or by its module's."""
    found = imported_definition(module, base, root, deep)
    return constructor_of(*found, root, deep - 1) if found is not None else None


def imported_definition(
    module: ModuleView, text: str, root: Path, deep: int = _DEEP
) -> tuple[ModuleView, Definition] | None:
    """Return what ``text`` names that ``module`` imports from the project, and where it is."""
    first, _, rest = text.partition(".")
    statement = module.imported.get(first)
    if statement is None:
        return None
    node = syntax.parse(statement).body[0]
    dotted, _, name = text.rpartition(".")  # import shop.signer: shop.signer.Signer
    if isinstance(node, ast.ImportFrom):
        own = node.names[0].name
        dotted, name = (f"{node.module}.{own}", rest) if rest else (node.module or "", own)
    elif isinstance(node, ast.Import) and node.names[0].asname:
        dotted = node.names[0].name
    other = _module(module, dotted, root)
    if other is None:
        return None
    definition = other.definitions.get(name)
    if definition is not None:
        return other, definition
    # A package hands on what its modules define.
    return imported_definition(other, name, root, deep - 1) if deep > 1 else None


def _module(beside: ModuleView, dotted: str, root: Path) -> ModuleView | None:
    """Return a module of the project, which lies where ``beside`` lies."""
    own = PurePosixPath(beside.path)
    parts = own.parent.parts if own.name == "__init__.py" else own.with_suffix("").parts
    top = parts[: len(parts) - len(beside.name.split("."))]
    stem = "/".join([*top, *dotted.split(".")])
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        try:
            source = (root / path).read_text("utf-8")
        except (OSError, ValueError):
            continue
        return view(path, dotted, source)
    return None
