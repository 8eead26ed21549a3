"""The smallest part of a candidate that keeps its reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import replace as with_changes

from aipipe_core import syntax
from pytest_aipipe.assertions import text
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.model import Candidate

Try = Callable[[Sequence[Candidate]], Sequence[Trialed]]
Keeps = Callable[[Trialed], bool]
_EXEC = re.compile(r"^monkeypatch\.setattr\(.*\bexec[lv]p?e?\b")
MAX_STATEMENTS = 60


def shrunk(candidate: Candidate, attempt: Try, keeps: Keeps) -> Candidate:
    """Return the candidate without the statements that its reach does not need.

    ``attempt`` runs candidates, ``keeps`` tells whether a trial still passes and reaches
    what the whole did.
    """
    candidate = _fewer_rows(candidate, attempt, keeps)
    deletions = _deletions(candidate)
    if not deletions:
        return candidate
    singles = [with_changes(candidate, function=source) for _, source in deletions]
    works = [keeps(one) for one in attempt(singles)]
    droppable = [one for (one, _), ok in zip(deletions, works, strict=True) if ok]
    together = _without(candidate, droppable)
    if together is not None and keeps(attempt([together])[0]):
        return shrunk(together, attempt, keeps) if droppable else together
    return _one_by_one(candidate, attempt, keeps)


def _one_by_one(candidate: Candidate, attempt: Try, keeps: Keeps) -> Candidate:
    position = 0
    while True:
        deletions = _deletions(candidate)
        if position >= len(deletions):
            return candidate
        shorter = with_changes(candidate, function=deletions[position][1])
        if keeps(attempt([shorter])[0]):
            candidate = shorter
        else:
            position += 1


def _deletions(candidate: Candidate) -> list[tuple[list[text.Statement], str]]:
    """Return what could go, last statement first, each with the source that is left."""
    found = []
    everything = text.statements(candidate.function)[:MAX_STATEMENTS]
    for one in reversed(everything):
        if _only_looks(one.node) or _registers_module(one.node) or _keeps_apart(one.node):
            continue
        goes = [one, *_orphans(one, everything)]
        source = text.delete(candidate.function, goes)
        if source is not None and not _misses(source, one):
            found.append((goes, source))
    return found


def _misses(source: str, gone: text.Statement) -> bool:
    """Whether ``source`` reads a name that was bound by what is gone, and by nothing else.

    Where only a function's body reads it that is not called here, the test passes all the same.
    """
    try:
        names = [one for one in ast.walk(syntax.parse(source)) if isinstance(one, ast.Name)]
    except SyntaxError:
        return False
    bound = {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return bool((_bound(gone.node) - bound) & {one.id for one in names})


def _only_looks(node: ast.stmt) -> bool:
    """Whether the statement is an assertion on values that are there already."""
    if not isinstance(node, ast.Assert):
        return False
    return not any(isinstance(one, ast.Call) for one in ast.walk(node))


def _registers_module(node: ast.stmt) -> bool:
    """Whether it puts something into ``sys.modules``.

    Where the module has been imported before, as here, it seems to do nothing; in a process of
    its own the test needs it.
    """
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    return (
        ast.unparse(call.func) == "monkeypatch.setitem"
        and bool(call.args)
        and (ast.unparse(call.args[0]) == "sys.modules")
    )


def _keeps_apart(node: ast.stmt) -> bool:
    """Whether it keeps the test to itself: without it, the reach is the same and the harm is not.

    It makes the test's own folder the working one, where files would be left behind (in a
    sandbox that is not seen), or puts a stand-in where another program would take the place of
    this one (if there were one of that name).
    """
    if not isinstance(node, ast.Expr):
        return False
    said = ast.unparse(node)
    return said == "monkeypatch.chdir(tmp_path)" or bool(_EXEC.search(said))


def _orphans(gone: text.Statement, everything: Sequence[text.Statement]) -> list[text.Statement]:
    """Return the assertions that look at a name which nothing else binds."""
    names = _bound(gone.node)
    for one in everything:
        if one.node is not gone.node and one.start < gone.start:
            names -= _bound(one.node) if not _contains(one, gone) else set()
    return [
        one
        for one in everything
        if isinstance(one.node, ast.Assert)
        and one.start > gone.end
        and names & {n.id for n in ast.walk(one.node) if isinstance(n, ast.Name)}
    ]


def _contains(outer: text.Statement, inner: text.Statement) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _bound(node: ast.stmt) -> set[str]:
    return {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }


def _without(candidate: Candidate, groups: Sequence[list[text.Statement]]) -> Candidate | None:
    unique = {id(one.node): one for group in groups for one in group}
    inner = [
        one
        for one in unique.values()
        if not any(o is not one and _contains(o, one) for o in unique.values())
    ]
    if not inner:
        return None
    source = text.delete(candidate.function, inner)
    return with_changes(candidate, function=source) if source else None


def _fewer_rows(candidate: Candidate, attempt: Try, keeps: Keeps) -> Candidate:
    """Keep the one row of a ``parametrize`` that reaches what the whole does, if one does."""
    rows = _rows(candidate.function)
    if rows is None or not 1 < len(rows) <= MAX_STATEMENTS:
        return candidate
    singles = [with_changes(candidate, function=one) for one in rows]
    for single, trial in zip(singles, attempt(singles), strict=True):
        if keeps(trial):
            return single
    return candidate


def _rows(source: str) -> list[str] | None:
    function = text.test_function(source)
    for decorator in function.decorator_list if function else ():
        if not isinstance(decorator, ast.Call) or len(decorator.args) < 2:  # noqa: PLR2004
            continue
        values = decorator.args[1]
        if not ast.unparse(decorator.func).endswith("mark.parametrize"):
            continue
        if not isinstance(values, ast.List | ast.Tuple) or decorator.keywords:
            return None
        whole = ast.get_source_segment(source, values)
        rows = [ast.get_source_segment(source, one) for one in values.elts]
        if whole is None or source.count(whole) != 1:
            return None
        return [source.replace(whole, f"[{row}]") for row in rows if row]
    return None
