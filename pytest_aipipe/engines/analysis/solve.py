"""Values that make simple conditions true or false, by the name they are about.

Answers are keyed by the source of what is tested (``x``, ``self.mode``, ``kwargs['a']``).
Nothing is proven: the values are proposals that a run confirms.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.guards import Condition, Guards, atoms
from pytest_aipipe.engines.analysis.regex import example
from pytest_aipipe.engines.analysis.shapes import type_names

if TYPE_CHECKING:
    from collections.abc import Iterable

Answers = dict[str, list[str]]
_HARMLESS = frozenset({"strip", "lower", "upper", "lstrip", "rstrip", "copy", "casefold", "keys"})
_LETTERS, _LONG_LIST, _LONG_TEXT = 10, 50, 500
TRUTHY = ("True", "1", "'text'", "[1, 2]", "{'a': 1}", "object()", "lambda *args, **kwargs: True")
_ANY = "'text'"
FALSY = ("None", "False", "''", "0", "[]", "{}")
_PREDICATES = {
    "isdigit": ("'12'", "'ab'"), "isalpha": ("'ab'", "'12'"), "isspace": ("' '", "'ab'"),
    "isupper": ("'AB'", "'ab'"), "islower": ("'ab'", "'AB'"), "isalnum": ("'a1'", "'-'"),
    "isidentifier": ("'ab'", "'1-'"), "isdecimal": ("'12'", "'ab'"), "isnumeric": ("'12'", "'a'"),
    "istitle": ("'Ab'", "'ab'"), "isascii": ("'ab'", "'é'"), "isprintable": ("'ab'", "'\\x00'"),
    "is_absolute": ("Path('/a')", "Path('a')"), "is_integer": ("2.0", "2.5"),
    "is_finite": ("Decimal(1)", "Decimal('Infinity')"), "is_nan": ("Decimal('NaN')", "Decimal(1)"),
}  # fmt: skip
_BY_TYPE = {
    "str": "'text'", "int": "1", "float": "1.5", "bool": "True", "bytes": "b'text'",
    "dict": "{'a': 1}",
    "list": "[1, 2]", "tuple": "(1, 2)", "set": "{1, 2}", "type": "int", "complex": "1j",
    "Mapping": "{'a': 1}", "Sequence": "[1, 2]", "Iterable": "[1, 2]",
    "Exception": "ValueError('wrong')",
    "frozenset": "frozenset({1})", "Number": "1", "Integral": "1", "Callable": "len",
    "bytearray": "bytearray(b'text')", "range": "range(3)", "slice": "slice(0, 2)",
    "timedelta": "timedelta(days=1)", "datetime": "datetime(2024, 1, 2)",
    "date": "date(2024, 1, 2)",
    "Decimal": "Decimal('1.5')", "Path": "Path('a')", "Enum": "",
}  # fmt: skip


def solve(guards: Iterable[Guards]) -> Answers:
    """Return proposals for everything that the guards test, nearest guard first."""
    found: Answers = {}
    for guard in guards:
        for condition in reversed(guard.conditions):
            for atom in atoms(condition):
                for key, value in _atom(atom):
                    if value:
                        known = found.setdefault(key, [])
                        if value not in known:
                            known.append(value)
        for loop in guard.loops:
            if isinstance(loop, ast.For | ast.AsyncFor):
                _wrap_elements(found, loop)
        for empty in guard.empty_loops:
            found.setdefault(ast.unparse(empty.iter), []).append("[]")
    return found


def _wrap_elements(found: Answers, loop: ast.For | ast.AsyncFor) -> None:
    """Turn what the loop's variables should be into what should be looped over."""
    looped = found.setdefault(ast.unparse(loop.iter), [])
    if isinstance(loop.target, ast.Name):
        looped += [f"[{value}]" for value in found.get(loop.target.id, [])]
    elif isinstance(loop.target, ast.Tuple) and len(loop.target.elts) > 1:
        parts = [found.get(ast.unparse(part), []) for part in loop.target.elts]
        for turn in range(max(map(len, parts), default=0)):
            row = [known[min(turn, len(known) - 1)] if known else _ANY for known in parts]
            looped.append(f"[({', '.join(row)})]")


def _atom(condition: Condition) -> list[tuple[str, str]]:
    test, wanted = condition.test, condition.wanted
    if isinstance(test, ast.Compare):
        return _compare(test, wanted=wanted)
    if isinstance(test, ast.Call):
        return _call(test, wanted=wanted)
    if isinstance(test, ast.NamedExpr):
        return [(test.target.id, v) for v in (TRUTHY if wanted else FALSY)]
    if isinstance(test, ast.Name | ast.Attribute | ast.Subscript):
        return [(_key(test), v) for v in (TRUTHY if wanted else FALSY)]
    if isinstance(test, ast.BinOp) and isinstance(test.op, ast.Mod):
        values = ("1", "3") if wanted else ("0", "2")
        return [(_key(test.left), v) for v in values]
    return []


def _key(node: ast.expr) -> str:
    """Return what a tested expression is about, harmless wrappings taken off."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _HARMLESS:
            return _key(node.func.value)
        if node.func.attr in {"get", "pop"} and node.args:
            return f"{ast.unparse(node.func.value)}[{ast.unparse(node.args[0])}]"
    if isinstance(node, ast.NamedExpr):
        return node.target.id
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return _key(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        if node.func.id in {"str", "int", "list", "tuple", "set", "abs", "sorted", "dict", "type"}:
            return _key(node.args[0])
        if (
            node.func.id == "getattr"
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
        ):
            return f"{ast.unparse(node.args[0])}.{node.args[1].value!s}"
    return ast.unparse(node)


def _compare(test: ast.Compare, *, wanted: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    sides = [test.left, *test.comparators]
    for left, op, right in zip(sides, test.ops, sides[1:], strict=False):
        found += _pair(left, op, right, wanted=wanted)
        if isinstance(left, ast.Constant) and not isinstance(op, ast.In | ast.NotIn):
            found += _pair(right, _flipped(op), left, wanted=wanted)
    return found


def _flipped(op: ast.cmpop) -> ast.cmpop:
    flips: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
    }  # fmt: skip
    return flips.get(type(op), type(op))()


def _pair(left: ast.expr, op: ast.cmpop, right: ast.expr, *, wanted: bool) -> list[tuple[str, str]]:
    negative = isinstance(op, ast.NotEq | ast.NotIn | ast.IsNot)
    same = wanted != negative
    if isinstance(op, ast.In | ast.NotIn):
        return _membership(left, right, same=same)
    if isinstance(left, ast.Call) and ast.unparse(left.func) == "len" and left.args:
        return _length(left.args[0], op, right, wanted=wanted)
    key = _key(left)
    if isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        text = ast.unparse(right)
        if same:
            plain = [(key, text)] if _simple(right) or _dotted(right) else []
            return [*plain, *_holding(left, text)] if plain else []
        if text == "None":
            return [(key, v) for v in TRUTHY[1:]]
        return [(key, v) for v in _others(right)]
    if isinstance(right, ast.Constant | ast.UnaryOp) and _simple(right):
        value = syntax.literal(right)
        if isinstance(value, int | float):
            return [(key, repr(v)) for v in _ordered(op, value, wanted=wanted)]
    return [(key, v) for v in ("-1", "0", "1", "10", "1000")]


def _dotted(node: ast.expr) -> bool:
    """Whether a node is a name of the module: a constant, a member of an enumeration."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id not in {"self", "cls"}


def _holding(left: ast.expr, text: str) -> list[tuple[str, str]]:
    """Return containers for which ``container[index] == text``."""
    if not isinstance(left, ast.Subscript) or not _simple(left.slice):
        return []
    index = syntax.literal(left.slice)
    if isinstance(index, int):
        size = index + 1 if index >= 0 else -index
        return [(_key(left.value), f"[{', '.join([text] * size)}]")] if size <= _LETTERS else []
    return [(_key(left.value), f"{{{index!r}: {text}}}")]


def _ordered(op: ast.cmpop, value: float, *, wanted: bool) -> list[float]:
    below, above = [value - 1, value - 0.5, value - 10], [value + 1, value + 0.5, value + 10]
    if isinstance(op, ast.Lt):
        return below if wanted else [value, *above]
    if isinstance(op, ast.LtE):
        return [value, *below] if wanted else above
    if isinstance(op, ast.Gt):
        return above if wanted else [value, *below]
    return [value, *above] if wanted else below


def _simple(node: ast.expr) -> bool:
    try:
        syntax.literal(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _others(node: ast.expr) -> list[str]:
    if not _simple(node):
        return []
    value = syntax.literal(node)
    if isinstance(value, bool) or value is None:
        return [repr(not value)]
    if isinstance(value, int | float):
        return [repr(value + 1), repr(value - 1)]
    return [repr(value + "x"), "'other'"] if isinstance(value, str) else ["'other'"]


def _membership(left: ast.expr, right: ast.expr, *, same: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if _simple(right):
        members = list(syntax.literal(right)) if not isinstance(right, ast.Constant) else (
            list(str(right.value)))  # fmt: skip
        found += [(_key(left), repr(m)) for m in members] if same else [(_key(left), "'other'")]
        found += [pair for m in members if same for pair in _holding(left, repr(m))]
    elif isinstance(right, ast.Tuple | ast.List | ast.Set):
        members = [ast.unparse(m) for m in right.elts if _simple(m) or _dotted(m)]
        found += [(_key(left), m) for m in members] if same else []
        found += [pair for m in members if same for pair in _holding(left, m)]
    elif same and _dotted(right) and not isinstance(left, ast.Constant):
        found += [(_key(left), value) for value in _held_by(ast.unparse(right))]
    if isinstance(left, ast.Constant):
        text = ast.unparse(left)
        if same:
            if isinstance(left.value, str):
                found.append((_key(right), repr(f"a{left.value}b")))
                found.append((_key(right), text))
            found += [(_key(right), f"{{{text}: 1}}"), (_key(right), f"[{text}]")]
            found += [(f"{_key(right)}[{text}]", v) for v in ("1", "'text'")]
        else:
            found += [(_key(right), "'other'"), (_key(right), "{}"), (_key(right), "[]")]
    elif not same:
        found += [(_key(right), "{}"), (_key(right), "[]")]
    return found


def _held_by(name: str) -> list[str]:
    """Return what may be in a thing of the module's own: by its name a kind, or a collection."""
    last = name.rsplit(".", 1)[-1]
    is_kind = last[:1].isupper() and not last.isupper()
    return [name, f"next(iter({name}))"] if is_kind else [f"min({name})", name]


def _length(
    node: ast.expr, op: ast.cmpop, right: ast.expr, *, wanted: bool
) -> list[tuple[str, str]]:
    sizes: list[int] = [0, 1, 2, 5, 40]
    if _simple(right) and isinstance(value := syntax.literal(right), int):
        sizes = [value, value + 1, max(0, value - 1), value * 2]
        ordered = isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        if ordered:
            sizes = [int(v) for v in _ordered(op, value, wanted=wanted) if v >= 0]
        elif isinstance(op, ast.Eq) == wanted:
            sizes = [value]
    key = _key(node)
    lists = [(key, repr(list(range(1, n + 1)))) for n in sizes if n <= _LONG_LIST]
    return [
        *(
            (key, repr("abcdefghij"[:n] if n <= _LETTERS else "a" * n))
            for n in sizes
            if n < _LONG_TEXT
        ),
        *lists,
    ]


def _call(test: ast.Call, *, wanted: bool) -> list[tuple[str, str]]:
    name = test.func.id if isinstance(test.func, ast.Name) else ""
    if name in {"isinstance", "issubclass"} and len(test.args) > 1:
        return _type_check(test, wanted=wanted, instance=name == "isinstance")
    if name == "callable" and test.args:
        return [(_key(test.args[0]), "len" if wanted else "object()")]
    if name == "hasattr" and len(test.args) > 1 and isinstance(test.args[1], ast.Constant):
        attr = str(test.args[1].value)
        if not wanted:
            return [(_key(test.args[0]), "object()")]
        value = f"SimpleNamespace({attr}=lambda *args, **kwargs: 1)"
        return [(_key(test.args[0]), value), (f"{_key(test.args[0])}.{attr}", "1")]
    if name in {"any", "all", "bool", "len"} and test.args:
        return [(_key(test.args[0]), v) for v in (TRUTHY if wanted else FALSY)]
    if isinstance(test.func, ast.Attribute):
        return _method(test, test.func, wanted=wanted)
    if test.args:  # a predicate of the project: both sides of it are worth a try
        return [
            (_key(test.args[0]), v) for v in ("[1, 2]", "1", "'text'", "None", "{'a': 1}", "len")
        ]
    return []


def _type_check(test: ast.Call, *, wanted: bool, instance: bool) -> list[tuple[str, str]]:
    key = _key(test.args[0])
    names = [n.rsplit(".", 1)[-1] for n in type_names(test.args[1])]
    if not instance:
        return [(key, n if wanted else "object") for n in names]
    if wanted:
        made = zip(names, type_names(test.args[1]), strict=True)
        return [(key, _BY_TYPE.get(n, f"{full}()")) for n, full in made]
    others = [
        v for n, v in _BY_TYPE.items() if n in {"str", "int", "list", "dict"} and n not in names
    ]
    return [(key, v) for v in (*others, "None", "object()")]


def _method(test: ast.Call, func: ast.Attribute, *, wanted: bool) -> list[tuple[str, str]]:
    key, attr = _key(func.value), func.attr
    first = test.args[0] if test.args else None
    if attr in _PREDICATES:
        return [(key, _PREDICATES[attr][0 if wanted else 1])]
    if attr in {"startswith", "endswith"} and first is not None and _simple(first):
        value = syntax.literal(first)
        options = value if isinstance(value, tuple) else (value,)
        if not wanted:
            return [(key, "'other'")]
        return [
            (key, repr(v + "x" * isinstance(v, str) if attr == "startswith" else v))
            for v in options
        ]
    if attr in {"match", "search", "fullmatch", "finditer", "findall"}:
        if (
            ast.unparse(func.value) == "re"
            and len(test.args) > 1
            and isinstance(first, ast.Constant)
        ):
            text = example(str(first.value)) if wanted else "~"
            return [(_key(test.args[1]), repr(text))] if text is not None else []
        return []
    if attr in {"get", "pop"} and first is not None:
        return [(f"{key}[{ast.unparse(first)}]", v) for v in (TRUTHY if wanted else FALSY)]
    return []
