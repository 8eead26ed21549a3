"""Mends of fixed ports: let the system choose one, and ask which it is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.flaky.mend.proposal import Proposal, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.mend.proposal import Scene

ASKS = ("{0}.getsockname()[1]", "{0}.server_address[1]", "{0}.sockets[0].getsockname()[1]",
        "{0}.socket.getsockname()[1]")  # fmt: skip


def choose(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Bind port 0 where the fixed port was bound, and use the one that was given after it."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    text = scene.read(path)
    ports = finding.failure.touched.get("ports", ()) if finding.failure else ()
    function = _function(text, names)
    if function is None:
        return
    for bound in _bindings(function, [int(port) for port in ports]):
        for ask in ASKS:
            new = _edited(text, function, bound, ask)
            if new is not None:
                yield Proposal(
                    "binds a port that the system chooses", {path: new}, frozenset({"place"})
                )


class _Bound:
    """A statement that binds: the object's name, the nodes of its port, the port's spelling."""

    def __init__(self, statement: ast.stmt, holder: str, node: ast.expr) -> None:
        self.statement, self.holder, self.node = statement, holder, node
        self.variable = node.id if isinstance(node, ast.Name) else ""
        self.number = node.value if isinstance(node, ast.Constant) else None


def _function(text: str, names: Sequence[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    node: ast.AST = syntax.parse(text)
    for name in names:
        found = [
            one
            for one in getattr(node, "body", ())
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and one.name == name
        ]
        if not found:
            return None
        node = found[-1]
    return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _bindings(function: ast.AST, ports: list[int]) -> Iterator[_Bound]:
    variables = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, call = node.targets[0], node.value
            holder = target.id if isinstance(target, ast.Name) else ""
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            func = call.func
            binds = isinstance(func, ast.Attribute) and func.attr in ("bind", "connect_ex")
            holder = ast.unparse(func.value) if binds and isinstance(func, ast.Attribute) else ""
        else:
            continue
        if isinstance(call, ast.Await):
            call = call.value
        if not holder or not isinstance(call, ast.Call):
            continue
        for used in _values(call):
            literal = isinstance(used, ast.Constant) and used.value in ports
            named = isinstance(used, ast.Name) and used.id in variables and used.id != holder
            if literal or named:
                yield _Bound(node, holder, used)


def _values(call: ast.Call) -> Iterator[ast.expr]:
    for arg in [*call.args, *(word.value for word in call.keywords)]:
        yield from arg.elts if isinstance(arg, ast.Tuple) else [arg]


def _edited(text: str, function: ast.AST, bound: _Bound, ask: str) -> str | None:
    """Return the text with 0 bound, the port asked for, and its later uses replaced."""
    name = bound.variable or "port"
    lines = text.splitlines(keepends=True)
    spots = [bound.node]
    if bound.number is not None:
        end = bound.statement.end_lineno or 0
        spots += [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.Constant) and node.value == bound.number and node.lineno > end
        ]
    for node in sorted(spots, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        row = lines[node.lineno - 1]
        new = "0" if node is bound.node else name
        lines[node.lineno - 1] = row[: node.col_offset] + new + row[node.end_col_offset :]
    indent = " " * bound.statement.col_offset
    at = bound.statement.end_lineno or 0
    lines.insert(at, f"{indent}{name} = {ask.format(bound.holder)}\n")
    made = "".join(lines)
    try:
        syntax.parse(made)
    except SyntaxError:
        return None
    return made
