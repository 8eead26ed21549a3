"""Where the change can have changed behaviour: definitions whose code is no longer the same."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.compare.bare import bare
from pytest_aipipe.compare.model import Place
from pytest_aipipe.mutate.equivalent import same_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aipipe_core.change.model import FileChange, Hunk

MODULE = "<module>"


@dataclass(frozen=True, slots=True)
class Span:
    """A definition and its lines."""

    qualname: str
    start: int
    end: int


def places(
    files: Iterable[FileChange],
    base_sources: Mapping[str, str],
    head_sources: Mapping[str, str],
    modules: Mapping[str, str],
) -> list[Place]:
    """Return the definitions that may behave differently, by the files' new paths.

    Files that are new or gone have nothing to compare with. Comments, layout, docstrings
    and annotations are no behaviour: a file or definition that compiles to the same code
    without them is left out.
    """
    found: list[Place] = []
    for file in files:
        base, head = base_sources.get(file.path), head_sources.get(file.path)
        module = modules.get(file.path)
        if base is None or head is None or module is None or same_behaviour(base, head):
            continue
        found += _of_file(file, base, head, module)
    return found


def same_behaviour(base: str, head: str) -> bool:
    """Return whether two module texts differ in docstrings, annotations and layout at most."""
    trees = [bare(text) for text in (base, head)]
    if trees[0] is None or trees[1] is None:
        return False
    if ast.dump(trees[0]) == ast.dump(trees[1]):
        return True
    codes = [compile(tree, "<module>", "exec", dont_inherit=True) for tree in trees if tree]
    return same_code(*codes)


def _of_file(file: FileChange, base: str, head: str, module: str) -> list[Place]:
    base_spans, head_spans = spans(base), spans(head)
    names = {span.qualname for span in head_spans}
    head_lines: dict[str, set[int]] = defaultdict(set)
    base_lines: dict[str, set[int]] = defaultdict(set)
    hunks: dict[str, list[Hunk]] = defaultdict(list)
    for hunk in file.hunks:
        touched = set()
        for line in _lines(hunk.new_lines, hunk.new_start, head):
            touched.add(name := _holder(head_spans, line))
            head_lines[name].add(line)
        for line in _lines(hunk.old_lines, hunk.old_start, base):
            touched.add(name := _holder(base_spans, line))
            base_lines[name].add(line)
        for name in touched:
            hunks[name].append(hunk)
    older, newer = _segments(base), _segments(head)
    grouped: dict[str, list[str]] = defaultdict(list)
    for name in sorted({*head_lines, *base_lines}):
        if older.get(name, "") in {newer.get(name, ""), ""}:
            continue  # the same, or new: what was not there before did nothing
        grouped[_standing(name, names)].append(name)
    return [
        Place(
            path=file.path,
            old_path=file.old_path or file.path,
            module=module,
            symbol=symbol,
            head_lines=frozenset(n for one in parts for n in head_lines[one]),
            base_lines=frozenset(n for one in parts for n in base_lines[one]),
            hunks=tuple(dict.fromkeys(hunk for one in parts for hunk in hunks[one])),
        )
        for symbol, parts in grouped.items()
    ]


def _standing(name: str, names: Collection[str]) -> str:
    """Return the definition that stands for ``name``: what held it, where it is gone."""
    while name not in names and name != MODULE:
        name = name.rpartition(".")[0] or MODULE
    return name


def _lines(changed: range, start: int, text: str) -> list[int]:
    """Return the changed lines of a side, or those next to where something is missing."""
    if changed:
        return list(changed)
    last = text.count("\n") + 1
    return [n for n in (start - 1, start, start + 1) if 1 <= n <= last][:2]


def spans(source: str) -> list[Span]:
    """Return every definition of a module, inner ones after those that hold them."""
    found: list[Span] = []

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                start = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                name = prefix + child.name
                found.append(Span(name, start, child.end_lineno or start))
                walk(child, f"{name}.")
            else:
                walk(child, prefix)

    try:
        walk(syntax.parse(source), "")
    except (SyntaxError, ValueError, RecursionError):
        return []
    return found


def _holder(found: Iterable[Span], line: int) -> str:
    """Return the innermost definition that holds ``line``."""
    inner = [span for span in found if span.start <= line <= span.end]
    return max(inner, key=lambda span: (span.start, -span.end)).qualname if inner else MODULE


def _segments(source: str) -> dict[str, str]:
    """Return each definition's own code by its name, as text without layout.

    That of a module or class is what stands outside its functions and inner classes. Where
    several share a name (a property's getter and setter), it is that of all.
    """
    found: dict[str, str] = defaultdict(str)
    tree = bare(source)
    if tree is None:
        return found

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = prefix + child.name
                walk(child, f"{name}.")
                found[name] += _own(child)
            else:
                walk(child, prefix)

    walk(tree, "")
    found[MODULE] = _own(tree)
    return found


def _own(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.Module | ast.ClassDef):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        kept = [one for one in node.body if not isinstance(one, kinds)]
        node.body = kept or [ast.Pass()]
    return ast.unparse(node)
