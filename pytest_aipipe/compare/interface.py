"""What a module shows to others: names that are gone, and constants that have changed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.compare.bare import is_typing
from pytest_aipipe.compare.places import MODULE
from pytest_aipipe.engines.source.writer import identifier
from pytest_aipipe.generate.model import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.compare.model import Place
    from pytest_aipipe.engines.situation import Situation


def interface_candidates(place: Place, base: Situation, head: Situation) -> Iterator[Candidate]:
    """Yield tests that read the public names of the base's module that may have changed.

    A name that only the head has is no change of what was there before.
    """
    if place.symbol != MODULE:
        return
    older, newer = _public(base.module.tree), _public(head.module.tree)
    for name, text in older.items():
        if newer.get(name) == text:
            continue
        body = f"    value = {place.module}.{name}\n"
        function = f"def test_{identifier(name)}_is_there():\n{body}"
        yield Candidate(
            technique="interface",
            name=f"test_{identifier(name)}_is_there",
            function=function,
            prelude=(f"import {place.module}",),
            observe=("value",),
            note=f"reads {place.module}.{name}",
        )


def _public(tree: ast.Module) -> dict[str, str]:
    """Return the public names that the module's own statements bind, with what they bind."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = ""
        elif isinstance(node, ast.Assign) and not is_typing(node.value):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = ast.unparse(node.value)
        elif (
            isinstance(node, ast.AnnAssign)
            and node.value is not None
            and not is_typing(node.value)
            and isinstance(node.target, ast.Name)
        ):
            found[node.target.id] = ast.unparse(node.value)
    return {name: text for name, text in found.items() if not name.startswith("_")}
