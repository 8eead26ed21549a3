"""One random small change of a test function's tree, drawn from given material."""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from pytest_aipipe.explore.splicing import edited_text
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from pytest_aipipe.explore.wire import Message

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
MAX_TEXT = 4000
MAX_STATEMENTS = 40
_PATIENCE = 6
_NUMBERS = (0, 1, -1, 2, 3, 10, 100, 1.5, -2)
_PLAIN = ("None", "True", "False", "0", "1", "-1", "''", "'a'", "[]", "{}", "()", "[1, 2]", "b''")


@dataclass(frozen=True, slots=True)
class Material:
    """What changes draw from.

    ``texts`` are whole texts, ``tokens`` pieces worth putting in; ``pairs`` are operands that
    a guard compared: one of them, found in the input, is worth replacing by the other.
    """

    texts: list[str]
    tokens: list[str]
    literals: list[ast.expr]
    statements: list[ast.stmt]
    keywords: list[tuple[str, ast.expr]]
    methods: list[str]
    pairs: list[tuple[Any, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, message: Message) -> Material:
        """Read what the parent sent; what cannot be parsed is left out."""
        literals = [_expression(one) for one in (*message["literals"], *_PLAIN)]
        keywords = [(name, _expression(text)) for name, text in message["keywords"]]
        return cls(
            texts=[one for one in message["texts"] if len(one) <= MAX_TEXT],
            tokens=list(message["tokens"]),
            literals=[one for one in literals if one is not None],
            statements=[one for text in message["statements"] for one in _statements(text)],
            keywords=[(name, one) for name, one in keywords if one is not None],
            methods=list(message["methods"]),
        )


def _expression(text: str) -> ast.expr | None:
    try:
        return syntax.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _statements(text: str) -> list[ast.stmt]:
    try:
        return syntax.parse(text).body
    except (SyntaxError, ValueError):
        return []


def _names_read(statement: ast.stmt) -> set[str]:
    return {
        one.id
        for one in ast.walk(statement)
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Store)
    }


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


Place = tuple[Any, str, int | None]
"""Where a node hangs: its parent, the field, and its index where the field is a list."""


def _put(place: Place, new: ast.AST) -> None:
    parent, name, index = place
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new


@dataclass(slots=True)
class Sites:
    """The places of a function at which something can be changed."""

    texts: list[tuple[Place, Any]]  # constants, all of them texts
    values: list[tuple[Place, ast.expr]]
    calls: list[ast.Call]
    attributes: list[ast.Attribute]
    blocks: list[list[ast.stmt]]
    names: list[str]

    @classmethod
    def of(cls, function: FunctionNode) -> Sites:
        """Find them; parts of formatted texts, signatures and decorators are left alone."""
        found = cls([], [], [], [], [], [])
        names = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
        found.blocks.append(function.body)
        todo: list[Any] = list(function.body)
        for index, statement in enumerate(function.body):
            _note(found, (function, "body", index), statement, names)
        while todo:
            node = todo.pop()
            if isinstance(node, ast.JoinedStr):
                continue
            for name, value in ast.iter_fields(node):
                if isinstance(value, ast.AST):
                    _note(found, (node, name, None), value, names)
                    todo.append(value)
                elif isinstance(value, list):
                    if value and isinstance(value[0], ast.stmt):
                        found.blocks.append(value)
                    for index, one in enumerate(value):
                        if isinstance(one, ast.AST):
                            _note(found, (node, name, index), one, names)
                            todo.append(one)
        found.names = sorted(names)
        return found


def _note(sites: Sites, place: Place, node: ast.AST, names: set[str]) -> None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            sites.texts.append((place, node))
        if node.value is not Ellipsis:
            sites.values.append((place, node))
    elif isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set | ast.UnaryOp):
        if not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            sites.values.append((place, node))
    elif isinstance(node, ast.Call):
        sites.calls.append(node)
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        sites.attributes.append(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        names.add(node.id)


class Variation:
    """Changes functions; deterministic for its random source."""

    def __init__(self, material: Material, rng: Random, known: Mapping[str, Any]) -> None:
        self.material = material
        self.rng = rng
        self.known = {*known, *dir(builtins)}
        self.needs = [_names_read(one) for one in material.statements]

    def of(self, function: FunctionNode) -> FunctionNode:
        """Return a copy of ``function`` with one to four changes."""
        made: FunctionNode = clone(function)
        changes = 1
        while changes < 4 and self.rng.random() < 0.35:  # noqa: PLR2004 - most have one change
            changes += 1
        for _ in range(changes):
            sites = Sites.of(made)
            self._pick(sites)(made, sites)
        return ast.fix_missing_locations(made)

    def _pick(self, sites: Sites) -> Callable[[FunctionNode, Sites], None]:
        options: list[tuple[float, Callable[[FunctionNode, Sites], None]]] = [(2.0, self._move)]
        if sites.texts:
            long = any("\n" in one.value or " " in one.value for _, one in sites.texts)
            options.append((6.0 if long else 3.0, self._text))
        if sites.values:
            options.append((2.5, self._value))
        if self.material.statements and len(sites.blocks[0]) < MAX_STATEMENTS:
            options.append((3.0, self._insert))
        if self.material.pairs and sites.values:
            options.append((2.5, self._operand))
        if sites.calls:
            options.append((1.5, self._call))
        if sites.attributes and self.material.methods:
            options.append((0.7, self._method))
        weights = [weight for weight, _ in options]
        return self.rng.choices([one for _, one in options], weights)[0]

    def _text(self, _function: FunctionNode, sites: Sites) -> None:
        rng = self.rng
        # A long text is a document: most of what can go another way is in there.
        weights = [1 + min(8, one.value.count("\n") * 2 + len(one.value) // 40)
                   for _, one in sites.texts]  # fmt: skip
        place, node = rng.choices(sites.texts, weights)[0]
        own = [one.value for _, one in sites.texts if one is not node and one.value]
        new = edited_text(
            node.value, rng, texts=self.material.texts, tokens=self.material.tokens, own=own
        )
        if new != node.value and len(new) <= MAX_TEXT:
            _put(place, ast.copy_location(ast.Constant(value=new), node))

    def _value(self, _function: FunctionNode, sites: Sites) -> None:
        rng = self.rng
        place, node = rng.choice(sites.values)
        if isinstance(node, ast.List | ast.Tuple | ast.Set) and node.elts and rng.random() < 0.6:  # noqa: PLR2004
            index = rng.randrange(len(node.elts))
            if rng.random() < 0.5 and len(node.elts) > 1:  # noqa: PLR2004 - one half each
                del node.elts[index]
            else:
                node.elts.append(clone(node.elts[index]))
            return
        old: Any = node.value if isinstance(node, ast.Constant) else None
        if type(old) in {int, float}:
            new = rng.choice((old + 1, old - 1, -old, old * 2, rng.choice(_NUMBERS)))
            if rng.random() < 0.7:  # noqa: PLR2004 - neighbours are likelier than strangers
                _put(place, ast.copy_location(ast.Constant(value=new), node))
                return
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            _put(place, ast.copy_location(ast.Constant(value=not node.value), node))
            return
        _put(place, clone(self._literal()))

    def _literal(self) -> ast.expr:
        """Return a value: as often one of each plain kind as one that the code knows."""
        every = self.material.literals
        return self.rng.choice(every[-len(_PLAIN) :] if self.rng.random() < 0.5 else every)  # noqa: PLR2004

    def _operand(self, _function: FunctionNode, sites: Sites) -> None:
        """Put one operand of a guard where the other one stands in the input."""
        rng = self.rng
        for _ in range(_PATIENCE):
            old, new = rng.choice(self.material.pairs)
            if isinstance(old, str) and isinstance(new, str) and old:
                places = [(place, one) for place, one in sites.texts if old in one.value]
                if places:
                    place, node = rng.choice(places)
                    parts = node.value.split(old)
                    cut = rng.randrange(len(parts) - 1)
                    text = old.join(parts[: cut + 1]) + new + old.join(parts[cut + 1 :])
                    _put(place, ast.copy_location(ast.Constant(value=text), node))
                    return
            places = [(place, one) for place, one in sites.values
                      if isinstance(one, ast.Constant) and _same(one.value, old)]  # fmt: skip
            if places:
                place, node = rng.choice(places)
                _put(place, ast.copy_location(ast.Constant(value=new), node))
                return

    def _insert(self, function: FunctionNode, sites: Sites) -> None:
        rng, body = self.rng, function.body
        place = len(body) if rng.random() < 0.6 else rng.randint(0, len(body))  # noqa: PLR2004
        start = self._statement(sites)
        count = 1 if rng.random() < 0.6 else rng.randint(2, 4)  # noqa: PLR2004 - with what follows it
        for offset, statement in enumerate(self.material.statements[start : start + count]):
            new = self._fitted(clone(statement), sites)
            if new is not None:
                body.insert(place + offset, new)

    def _fitted(self, new: ast.stmt, sites: Sites) -> ast.stmt | None:
        """Return a statement of another test with its names, and some keys, of this one."""
        rng = self.rng
        unknown = _names_read(new) - {*sites.names, *self.known}
        objects: list[ast.expr] = [
            ast.Name(name, ast.Load()) for name in sites.names if name not in {"self", "cls"}
        ]
        objects += [one for one in sites.attributes if not isinstance(one.value, ast.Call)]
        if unknown and not objects:
            return None
        chosen = {name: rng.choice(objects) for name in sorted(unknown)}
        new = _Renaming(chosen).visit(new)
        words = [w for _, one in sites.texts for w in re.findall(r"\w+", one.value[:400])]
        for node in ast.walk(new):
            if (
                isinstance(node, ast.Constant) and isinstance(node.value, str) and words
                and rng.random() < 0.5  # noqa: PLR2004 - keys of the other test seldom fit this one
            ):  # fmt: skip
                node.value = rng.choice(words)
        return new

    def _statement(self, sites: Sites) -> int:
        """Return the place of a statement, of one that fits as it is where such a one is met."""
        rng = self.rng
        known = {*sites.names, *self.known}
        some = [rng.randrange(len(self.material.statements)) for _ in range(_PATIENCE)]
        fitting = [index for index in some if self.needs[index] <= known]
        return (fitting or some)[0]

    def _call(self, _function: FunctionNode, sites: Sites) -> None:
        rng = self.rng
        call = rng.choice(sites.calls)
        turn = rng.random()
        if turn < 0.4 and self.material.keywords:  # noqa: PLR2004
            name, value = rng.choice(self.material.keywords)
            call.keywords = [one for one in call.keywords if one.arg != name]
            call.keywords.append(ast.keyword(arg=name, value=clone(value)))
        elif turn < 0.6 and call.keywords:  # noqa: PLR2004
            del call.keywords[rng.randrange(len(call.keywords))]
        elif call.args and not any(isinstance(one, ast.Starred) for one in call.args):
            index = rng.randrange(len(call.args))
            call.args[index] = clone(self._literal())

    def _method(self, _function: FunctionNode, sites: Sites) -> None:
        self.rng.choice(sites.attributes).attr = self.rng.choice(self.material.methods)

    def _move(self, _function: FunctionNode, sites: Sites) -> None:
        """Drop, repeat or move a statement, or exchange two."""
        rng = self.rng
        block = rng.choice(sites.blocks)
        index = rng.randrange(len(block))
        turn = rng.randrange(4)
        if turn == 0 and len(block) > 1:
            del block[index]
        elif turn == 1 and len(block) < MAX_STATEMENTS:
            block.insert(index, clone(block[index]))
        elif turn == 2:  # noqa: PLR2004
            block.append(block.pop(index))
        else:
            other = rng.randrange(len(block))
            block[index], block[other] = block[other], block[index]


class _Renaming(ast.NodeTransformer):
    """Puts objects of a test where names of another stand."""

    def __init__(self, chosen: Mapping[str, ast.expr]) -> None:
        self.chosen = chosen

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.chosen and isinstance(node.ctx, ast.Load):
            new: ast.expr = clone(self.chosen[node.id])
            return ast.copy_location(new, node)
        return node
