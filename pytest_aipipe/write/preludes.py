"""The module-level statements that tests need: pruned, merged, imports sorted."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALWAYS = frozenset({"pytestmark", "pytest_plugins", "__future__"})


@dataclass(slots=True)
class Prelude:
    """Statements by the name they bind: ``imports`` first, then ``helpers`` in their order."""

    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # bound -> (module, name)
    helpers: dict[str, str] = field(default_factory=dict)  # source -> first bound name
    bound: dict[str, str] = field(default_factory=dict)  # helper's bound name -> source

    def names(self) -> dict[str, str]:
        """Return each bound name with something that tells two meanings of it apart."""
        return {**{n: f"{m}:{o}" for n, (m, o) in self.imports.items()}, **self.bound}

    def clashes(self, other: Prelude) -> bool:
        """Return whether a name means one thing here and another there."""
        mine = self.names()
        return any(mine.get(name, what) != what for name, what in other.names().items())

    def add(self, other: Prelude) -> None:
        """Take over what ``other`` holds."""
        self.imports.update(other.imports)
        self.helpers.update(other.helpers)
        self.bound.update(other.bound)

    def text(self, first_party: frozenset[str] = frozenset()) -> str:
        """Return the statements as source: imports grouped and sorted, then the helpers."""
        parts = [_imports_text(self.imports, first_party)]
        parts += [
            "\n\n" + one.strip("\n") if _is_block(one) else one.strip("\n") for one in self.helpers
        ]
        return "\n".join(part for part in parts if part)


def read_prelude(statements: Sequence[str], function: str) -> Prelude:
    """Return the part of ``statements`` that ``function`` needs, directly or through a helper."""
    prelude = Prelude()
    bodies: list[tuple[str, set[str], set[str]]] = []
    candidates: dict[str, tuple[str, str]] = {}
    for text in statements:
        for node in syntax.parse(text).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                candidates.update(_bindings(node))
                continue
            source = _segment(text, node)
            bodies.append((source, _binds(node), _uses(node)))
    needed = _uses(syntax.parse(function))
    kept: set[int] = set()
    while True:
        more = [
            i
            for i, (_, binds, _) in enumerate(bodies)
            if i not in kept and (not binds or binds & (needed | ALWAYS))
        ]
        if not more:
            break
        kept.update(more)
        for i in more:
            needed |= bodies[i][2]
    for i in sorted(kept):
        source, binds, _ = bodies[i]
        prelude.helpers[source] = min(binds, default="")
        prelude.bound.update(dict.fromkeys(binds, source))
    for name, what in candidates.items():
        if name.split(".")[0] in needed or name == "*" or what[0] == "__future__":
            prelude.imports[name] = what
    return prelude


def _segment(text: str, node: ast.stmt) -> str:
    first = min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", [])]])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def _bindings(node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str]]:
    found = {}
    for alias in node.names:
        if isinstance(node, ast.Import):
            found[alias.asname or alias.name] = (alias.name, "")
        else:
            module = "." * node.level + (node.module or "")
            key = f"*{module}" if alias.name == "*" else (alias.asname or alias.name)
            found[key] = (module, alias.name)
    return found


def _binds(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    names = {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    for one in ast.walk(node):
        if isinstance(one, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).split(".")[0] for a in one.names}
    return names


def _uses(node: ast.AST) -> set[str]:
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            names |= {a.arg for a in [*one.args.args, *one.args.kwonlyargs, *one.args.posonlyargs]}
        if (
            isinstance(one, ast.Constant)
            and isinstance(one.value, str)
            and one.value.isidentifier()
        ):
            names.add(one.value)  # usefixtures("name"), getfixturevalue("name")
    return names


def _is_block(source: str) -> bool:
    return source.lstrip().startswith(("def ", "class ", "async def ", "@"))


def _imports_text(imports: dict[str, tuple[str, str]], first_party: frozenset[str]) -> str:
    groups: dict[int, list[str]] = {}
    whole: dict[str, set[str]] = {}
    for name, (module, original) in imports.items():
        if not original:
            line = f"import {module}" if name == module else f"import {module} as {name}"
            groups.setdefault(_rank(module, first_party), []).append(line)
        elif original == "*":
            groups.setdefault(_rank(module, first_party), []).append(f"from {module} import *")
        else:
            shown = original if name == original else f"{original} as {name}"
            whole.setdefault(module, set()).add(shown)
    for module, names in whole.items():
        line = f"from {module} import {', '.join(sorted(names))}"
        groups.setdefault(_rank(module, first_party), []).append(line)
    return "\n\n".join(
        "\n".join(sorted(set(lines), key=_import_order)) for _, lines in sorted(groups.items())
    )


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line.lower()


def _rank(module: str, first_party: frozenset[str]) -> int:
    top = module.split(".", maxsplit=1)[0]
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 4
    if top in sys.stdlib_module_names:
        return 1
    return 3 if top in first_party else 2


def is_valid(statements: Iterable[str]) -> bool:
    """Return whether every statement of a prelude parses."""
    try:
        for one in statements:
            syntax.parse(one)
    except (SyntaxError, ValueError):
        return False
    return True
