"""What stands around the shown code: its class, what it calls in this module, and its callers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation

MAX_OUTLINE = 30
MAX_BODY = 20
"""Lines of a function that is shown whole, because a condition on the way asks it."""


def outline(situation: Situation) -> str:
    """Return it as code with the bodies left out.

    Whole are, where they are short, the constructor of the class and what the conditions on
    the way call: whoever has to make a condition true must know what it asks.
    """
    out: list[str] = []
    used = _names_in(situation)
    asked = _asked_in_conditions(situation)
    target = situation.target
    owner = target.owner if target is not None else None
    if target is not None and owner is not None and owner.is_class:
        out += _class_outline(situation, owner, used, asked)
    bases = _bases_around(target)
    for node in situation.module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and _binds(node) & used:
            out.append(one_line(ast.unparse(node)))
        elif isinstance(node, ast.ClassDef) and node.name in used | bases:
            out += _how_made(situation, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in used:
            is_shown = node in [one.node for one in situation.targets]
            out += [] if is_shown else [_shown(node, whole=node.name in asked)]
    out += [s for name, s in situation.module.imported.items() if name in used]
    for definition in situation.targets:
        for caller in situation.callers(definition)[:3]:
            out.append(f"# called by {caller.qualname}: {signature(caller.node)}")
    return "\n".join(list(dict.fromkeys(out))[:MAX_OUTLINE])


def _class_outline(
    situation: Situation, owner: Definition, used: set[str], asked: set[str]
) -> list[str]:
    out = [f"{_head(owner.node)}:"]
    shown = [one.node for one in situation.targets]
    for member in situation.module.members(owner):
        if member.node in shown or member.is_class:
            continue
        if member.name in used or member.name.startswith("__init"):
            whole = member.name in asked or member.name == "__init__"
            text = _shown(member.node, whole=whole)
            out.append("\n".join(f"    {line}" for line in text.splitlines()))
    return out


def _shown(node: ast.AST, *, whole: bool) -> str:
    """Return a function: whole where that is wanted and short, else its first line."""
    if not whole or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return signature(node)
    bare = clone(node)
    if ast.get_docstring(bare) is not None:
        bare.body = bare.body[1:] or [ast.Pass()]
    text = ast.unparse(bare)
    return text if text.count("\n") < MAX_BODY else signature(node)


def _asked_in_conditions(situation: Situation) -> set[str]:
    """Return the names that the conditions on the way call or read."""
    tests = [c.test for guards in situation.guards for c in guards.conditions]
    return {name for test in tests for name in _names(test)}


def _bases_around(target: Definition | None) -> set[str]:
    """Return the names of the bases of the classes that hold ``target``."""
    found: set[str] = set()
    holder = target.owner if target is not None else None
    while holder is not None:
        found |= {ast.unparse(base) for base in getattr(holder.node, "bases", ())}
        holder = holder.owner
    return found


def _how_made(situation: Situation, node: ast.ClassDef) -> list[str]:
    """Return the head of a class that the shown code names, and what it is made with."""
    owner = situation.module.definitions.get(node.name)
    target = situation.target
    if owner is None or target is None or owner in (target, target.owner):
        return []  # it is shown already
    made = situation.module.method(owner, "__init__")
    return [
        f"{_head(node)}: ..." if made is None else f"{_head(node)}:\n    {signature(made.node)}"
    ]


def _head(node: ast.AST) -> str:
    bases = ", ".join(ast.unparse(base) for base in getattr(node, "bases", ()))
    name = getattr(node, "name", "")
    return f"class {name}({bases})" if bases else f"class {name}"


def signature(node: ast.AST) -> str:
    """Return the first line of a definition, its defaults included, without its body."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}: ..."
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        head = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return f"{head} {node.name}({ast.unparse(node.args)}){returns}: ..."
    return ""


def bare_signatures(situation: Situation) -> str:
    """Return the signatures of the gap's functions alone: no body, no default, no text."""
    out = []
    for definition in situation.targets:
        node = definition.node
        if isinstance(node, ast.ClassDef):
            out.append(f"class {node.name}: ...")
            continue
        names = []
        for one in definition.parameters:
            hint = f": {ast.unparse(one.annotation)}" if one.annotation else ""
            star = {"star": "*", "stars": "**"}.get(one.kind, "")
            names.append(f"{star}{one.name}{hint}" + ("" if one.required or star else " = ..."))
        owner = f"# in class {definition.owner.name}\n" if definition.owner else ""
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        out.append(f"{owner}def {node.name}({', '.join(names)}){returns}: ...")
    return "\n".join(out)


def _names_in(situation: Situation) -> set[str]:
    return {name for one in situation.targets for name in _names(one.node)}


def _names(below: ast.AST) -> Iterator[str]:
    for node in ast.walk(below):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _binds(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def one_line(text: str, most: int = 160) -> str:
    """Return ``text`` in one line, cut where it is longer than ``most``."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
