"""Edit the candidates that came nearest, one small step at a time, and keep what gets nearer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.guards import guards_of_line
from pytest_aipipe.engines.analysis.mined import around, unique
from pytest_aipipe.engines.seeds import Seed, seed_of
from pytest_aipipe.engines.source.arguments import fix_imports, values_for
from pytest_aipipe.engines.source.edits import (
    Edit,
    Pool,
    append_edits,
    argument_edits,
    in_turns,
    keyword_edits,
    literal_edits,
    method_edits,
    parse,
    replaced,
    shortest,
    sites,
    statement_edits,
    text_edits,
)
from pytest_aipipe.engines.source.existing import names_of_self, names_used
from pytest_aipipe.engines.source.invoke import on_instance
from pytest_aipipe.engines.source.separators import missed_in, separator_edits
from pytest_aipipe.engines.source.states import attributes_read
from pytest_aipipe.engines.source.writer import Draft
from pytest_aipipe.explore.operands import members_of, pairs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import FunctionNode
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import Candidate, Comparison, Outcome

_BATCH = 16
_ROUNDS = 400
_MEMBERS = 6


class Search:
    """Guided by what the runs saw: lines on the way to the gap, operands of comparisons."""

    name = "guided"

    def propose(self, situation: Situation) -> Proposals:
        """Yield edits of the best seed until the gap is closed or the edits run out."""
        pool = pool_of(situation)
        for _ in range(_ROUNDS):
            seed = situation.seeds.next()
            if seed is None or situation.closed:
                return
            batch, edited = self._batch(situation, seed, pool)
            seed.uses += 1
            if not batch:
                situation.seeds.kept.remove(seed)
                continue
            outcomes = yield batch
            for candidate, edit, outcome in zip(batch, edited, outcomes, strict=True):
                _keep(situation, Seed(candidate, edit.function, seed.taken), outcome)

    def _batch(
        self, situation: Situation, seed: Seed, pool: Pool
    ) -> tuple[list[Candidate], list[Edit]]:
        if seed.edits is None:
            seed.edits = _edits(situation, seed, pool)
        batch: list[Candidate] = []
        edited: list[Edit] = []
        for edit in seed.edits:
            technique = "amplify" if seed.taken is not None else self.name
            candidate = seed.edited(edit, technique)
            if candidate is not None and candidate.function not in situation.tried:
                situation.tried.add(candidate.function)
                if seed.taken is not None:
                    situation.taken[candidate.function] = seed.taken
                batch.append(candidate)
                edited.append(edit)
            if len(batch) >= _BATCH:
                break
        return batch, edited


def keep(situation: Situation, candidate: Candidate, outcome: Outcome) -> None:
    """Offer a technique's candidate as a seed."""
    seed = seed_of(candidate, situation.taken.get(candidate.function))
    if seed is not None:
        _keep(situation, seed, outcome)


def _keep(situation: Situation, seed: Seed, outcome: Outcome) -> None:
    if outcome.status in {"timeout", "crashed", "error", "skipped"}:
        return
    ran = outcome.lines.get(situation.gap.path, frozenset())
    seed.outcome = outcome
    path = frozenset(ran.intersection(situation.around))
    score = situation.nearness(ran) - min(0.05, 0.001 * len(seed.candidate.function.splitlines()))
    if seed.taken is None:
        score += 0.02
    situation.seeds.offer(seed, score, path)


def _edits(situation: Situation, seed: Seed, pool: Pool) -> Iterator[Edit]:
    function = seed.function
    seen = seed.outcome.comparisons if seed.outcome is not None else ()
    wanted = situation.guard_lines
    compared = [c for c in seen if c.line in wanted]
    streams = [
        operand_edits(function, pool, compared),
        separator_edits(function, pool, unique([*missed_in(compared), *situation.separators])),
        negated_edits(function, pool, compared),
        literal_edits(function, pool, near=True),
        keyword_edits(function, pool),
        argument_edits(function, pool),
        text_edits(function, pool),
        method_edits(function, pool),
        append_edits(function, pool),
        literal_edits(function, pool, near=False),
        statement_edits(function),
    ]
    return in_turns(streams)


def operand_edits(function: ast.AST, pool: Pool, seen: list[Comparison]) -> Iterator[Edit]:
    """Yield the function with an operand seen at run time copied over the literal it met."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    nodes = list(ast.walk(function))
    for comparison in seen:
        for mine, other in (
            (comparison.left, comparison.right),
            (comparison.right, comparison.left),
        ):
            if mine is None or other is None:
                continue
            met = _unparsed(mine)
            for index in sites(function, pool):
                text = ast.unparse(nodes[index])
                for new in _instead(comparison.op, other) if text == met else ():
                    value = parse(new)
                    if value is not None:
                        yield Edit(replaced(function, index, value), new)
        yield from _part_edits(function, pool, comparison)


def _part_edits(function: FunctionNode, pool: Pool, comparison: Comparison) -> Iterator[Edit]:
    """Yield the function with a text operand exchanged where it stands in a longer text."""
    nodes = list(ast.walk(function))
    tokens = shortest(pool.near)
    for old, new in pairs_of(comparison.left, comparison.right, comparison.op, tokens):
        if not isinstance(old, str) or not isinstance(new, str) or not old:
            continue
        for index in sites(function, pool):
            node = nodes[index]
            whole = node.value if isinstance(node, ast.Constant) else None
            if isinstance(whole, str) and old in whole and old != whole:
                head, _, tail = whole.rpartition(old)
                text = f"{head}{new}{tail}"
                yield Edit(replaced(function, index, ast.Constant(value=text)), repr(new)[:60])


def _unparsed(source: str) -> str:
    """Return an expression with the quotes and spaces that ``ast.unparse`` gives it."""
    node = parse(source)
    return ast.unparse(node) if node is not None else source


def _instead(operator: str, other: str) -> list[str]:
    """Return what to put where the operand beside ``other`` stands: of a container its members."""
    if operator in {"in", "not in"} and (members := members_of(other)):
        return members[:_MEMBERS]
    return [other, *around(other)[:3]]


def negated_edits(function: ast.AST, pool: Pool, seen: list[Comparison]) -> Iterator[Edit]:
    """Yield the function with one number made negative, where a guard asked in vain for that."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if not any(c.op in {"<", "<="} and c.right == "0" and not c.taken for c in seen):
        return
    nodes = list(ast.walk(function))
    signed = {id(node.operand) for node in nodes if isinstance(node, ast.UnaryOp)}
    for index in sites(function, pool):
        node = nodes[index]
        if not isinstance(node, ast.Constant) or id(node) in signed:
            continue
        if type(node.value) in {int, float} and node.value:
            new = ast.UnaryOp(ast.USub(), ast.Constant(node.value))
            yield Edit(replaced(function, index, new), ast.unparse(new))


def pool_of(situation: Situation) -> Pool:
    """Gather what edits may draw from."""
    solved = situation.answers()
    solved_all = (v for vs in solved.values() for v in vs)
    near = [v for v in unique([*situation.guard_literals, *solved_all]) if not free_names(v)]
    keywords: dict[str, list[str]] = {}
    tested = set(solved)
    read = attributes_read(c.test for g in situation.guards for c in g.conditions)
    added = situation.scene.added.get(situation.gap.path, frozenset())
    for definition in situation.module.definitions.values():
        for parameter in definition.parameters:
            if parameter.kind not in {"any", "keyword"}:
                continue
            line = parameter.annotation or parameter.default
            is_new = line is not None and line.lineno in added
            named = {parameter.name, f"self.{parameter.name}", f"self._{parameter.name}"}
            is_read = parameter.name in read and definition.name in {"__init__", "__new__"}
            if named & tested or is_read or is_new or definition in situation.targets:
                wanted = [v for key in named for v in solved.get(key, [])]
                values = values_for(situation.module, definition, parameter, solved=wanted)
                known = keywords.setdefault(parameter.name, [])
                known += [v.expr for v in values[:6] if not v.setup and v.expr not in known]
    methods = [
        d.name for d in situation.targets if d.binding == "method" and not d.name.startswith("__")
    ]
    return Pool(
        names=situation.names,
        literals=tuple(unique([*near, *situation.body_literals])[:60]),
        near=tuple(near[:40]),
        keywords=tuple((k, tuple(v)) for k, v in keywords.items()),
        methods=tuple(unique(methods)),
        appended=tuple(_appended(situation)),
        lines=tuple(_lines(situation)),
    )


def free_names(expr: str) -> bool:
    """Whether an expression needs more than built-in and well-known names."""
    try:
        names = names_used(syntax.parse(expr, mode="eval"))
    except SyntaxError:
        return True
    return bool(names) and not fix_imports(expr)


def _appended(situation: Situation) -> list[str]:
    """Return statements that invoke the gap's methods on ``{}``, with plain arguments."""
    found: list[str] = []
    for target in situation.targets:
        if target.owner is None or not target.owner.is_class:
            continue
        rows: list[list[str]] = [[]]
        for parameter in target.parameters:
            if parameter.required:
                values = values_for(situation.module, target, parameter)
                plain = [v.expr for v in values if not v.setup and not v.imports][:2]
                rows = [[*row, value] for row in rows for value in plain][:4]
        for row in rows:
            draft = on_instance(situation.module, target, row, "SUBJECT", Draft())
            if not draft.imports and draft.body:
                text = "\n".join(draft.body).replace("{", "{{").replace("}", "}}")
                found.append(text.replace("SUBJECT", "{0}"))
    return unique(found)


def _lines(situation: Situation) -> list[str]:
    """Return lines of texts in the nearest tests, as material to splice in."""
    found: list[str] = []
    for test in situation.tests[:6]:
        source = situation.scene.test_sources.get(test.source_path, "")
        for line in source.splitlines():
            text = line.strip()
            if text and not text.startswith(
                ("def ", "import ", "from ", "assert ", "@", "#", "class ")
            ):
                found.append(text + "\n")
    return unique(found)[:24]


__all__ = ["Search", "guards_of_line", "keep", "names_of_self", "pool_of"]
