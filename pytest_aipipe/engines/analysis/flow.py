"""From what a local name, or an inner function's parameter, should be to the parameters."""

from __future__ import annotations

import ast
from itertools import islice, permutations
from typing import TYPE_CHECKING, Literal, TypeAlias

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.solve import Answers, solve
from pytest_aipipe.engines.analysis.weigh import ranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_aipipe.engines.analysis.guards import Guards

Way: TypeAlias = Literal["read", "looped", "called"]

_MOST = 24
_ROUNDS = 3
_SHORT = 20
_KEPT = 40


def answers(guards: Iterable[Guards], function: ast.AST | None) -> Answers:
    """Return proposals for names, texts joined and carried back through local assignments."""
    asked = list(guards)
    found = solve(asked)
    for key, values in list(found.items()):
        more = [*_joined(values), *values] if _conflicting(values) else values
        found[key] = ranked(key, more, asked)
    if function is None:
        return found
    sources = _sources(function)
    for _ in range(_ROUNDS):
        for name, origins in sources.items():
            for origin, way in origins:
                derived = [v for value in found.get(name, [])[:_MOST] for v in _back(value, way)]
                known = found.get(origin, [])
                if derived:
                    merged = list(dict.fromkeys([*derived, *known]))
                    found[origin] = ranked(origin, merged, asked)[:_KEPT]
    return found


def _back(value: str, way: Way) -> list[str]:
    """Return what to loop over, call or read, for ``value`` to come of it."""
    if way == "looped":
        return [f"[{value}]"]
    if way == "called":
        return [f"lambda *args, **kwargs: {value}"]
    return [*_unsplit(value), value]


def _conflicting(values: list[str]) -> bool:
    return sum(value[:1] in "'\"" for value in values) > 1


def _joined(values: list[str]) -> list[str]:
    """Return texts that may satisfy several demands at once: one after the other."""
    texts = [t for v in values[:6] if v[:1] in "'\"" and isinstance(t := _literal(v), str)]
    pairs = islice(permutations([t for t in texts if t and len(t) < _SHORT], 2), 12)
    return [repr(a + b) for a, b in pairs]


def _unsplit(value: str) -> list[str]:
    """Return the texts from which splitting makes the list ``value``."""
    parts = _literal(value)
    if isinstance(parts, list | tuple) and parts and all(isinstance(p, str) for p in parts):
        return [repr(" ".join(parts)), repr(",".join(parts))]
    return []


def _literal(value: str) -> object:
    try:
        return syntax.literal(value)
    except (ValueError, SyntaxError):
        return None


def _sources(function: ast.AST) -> dict[str, list[tuple[str, Way]]]:
    """Return, for each local name, the names it is made of, and in which way."""
    found: dict[str, list[tuple[str, Way]]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            targets, value = [node.target], node.iter
        else:
            continue
        loops = isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)
        if loops and isinstance(value, ast.Name | ast.Attribute) and len(_names(targets[0])) > 1:
            continue  # a part of what is looped over is not an element of it
        read = _read(value)
        for target in targets:
            for inner in ast.walk(target):
                if isinstance(inner, ast.Name | ast.Attribute) and isinstance(inner.ctx, ast.Store):
                    name = ast.unparse(inner)
                    called = "" if loops else _called(value)
                    pairs: list[tuple[str, Way]] = [
                        (r, "looped" if loops else "called" if r == called else "read")
                        for r in read
                        if r != name
                    ]
                    found.setdefault(name, []).extend(pairs)
    for name, origins in _passed(function):
        found.setdefault(name, []).extend((r, "read") for r in origins if r != name)
    return found


def _names(target: ast.expr) -> list[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _called(value: ast.expr) -> str:
    """Return the name whose call a value is; empty where it is anything else."""
    call = value.value if isinstance(value, ast.Await) else value
    return call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""


def _read(value: ast.expr) -> list[str]:
    read = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
    return read + [ast.unparse(n) for n in ast.walk(value) if isinstance(n, ast.Attribute)]


def _passed(function: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Yield the parameters of inner functions with the names that ``function`` passes for them."""
    inner = {
        n.name: [a.arg for a in (*n.args.posonlyargs, *n.args.args)]
        for n in ast.walk(function)
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n is not function
    }
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            names = inner.get(call.func.id, [])
            for name, argument in zip(names, call.args, strict=False):
                yield name, _read(argument)
            for keyword in call.keywords:
                if keyword.arg in names:
                    yield keyword.arg, _read(keyword.value)
