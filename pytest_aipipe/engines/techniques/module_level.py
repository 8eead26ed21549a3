"""Run a module's body again under changed conditions, its ``__getattr__``, its main block."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.guards import guards_of_line
from pytest_aipipe.engines.analysis.mined import literals, unique
from pytest_aipipe.engines.source.edits import in_turns
from pytest_aipipe.engines.source.existing import names_used
from pytest_aipipe.engines.source.writer import Draft, write
from pytest_aipipe.engines.techniques.construct import drafts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.engines.analysis.guards import Guards
    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import Candidate

_BATCH = 12
_MOST = 120
_CALLS = 30
_OLD_MAJOR = 2
_OLD_BUILTINS = {"basestring": "str", "unicode": "str", "long": "int", "unichr": "chr",
                 "xrange": "range", "raw_input": "input"}  # fmt: skip
_VERSIONS = ((2, 7, 18), (3, 6, 0), (3, 8, 0), (3, 99, 0))


class ModuleLevel:
    """The module is run as a copy, so that the imported one stays as it is."""

    name = "module"

    def propose(self, situation: Situation) -> Proposals:
        """Yield imports under other conditions, then attribute look-ups and runs as a script."""
        streams = [
            self._again(situation),
            self._lookups(situation),
            self._main(situation),
            self._conditional(situation),
        ]
        candidates = islice(in_turns(streams), _MOST)
        while batch := list(islice(candidates, _BATCH)):
            yield batch

    def _written(self, situation: Situation, draft: Draft, what: str) -> Iterator[Candidate]:
        made = write(draft, self.name, f"{situation.module.name.rpartition('.')[2]} {what}")
        if made is not None:
            yield made

    def _again(self, situation: Situation) -> Iterator[Candidate]:
        if not self._outside(situation):
            return
        name = situation.module.name
        for lines, imports, what, names in conditions(situation):
            body = (
                f"module = importlib.util.module_from_spec(importlib.util.find_spec({name!r}))",
                f"monkeypatch.setitem(sys.modules, {name!r}, module)",
                *lines,
                "module.__spec__.loader.exec_module(module)",
            )
            observe = tuple(f"module.{n}" for n in names[:6])
            draft = Draft(
                body,
                ("import importlib.util", "import sys", *imports),
                fixtures=("monkeypatch",),
                observe=observe,
                mocked=True,
                note=what,
            )
            yield from self._written(situation, draft, what)

    def _conditional(self, situation: Situation) -> Iterator[Candidate]:
        """Yield calls of what a module defines, or keeps, only under other conditions."""
        for target in situation.targets:
            outer = outermost(target)
            guards = guards_of_line(situation.module, outer.node.lineno)
            known: list[tuple[list[str], list[str], str]] = []
            for name in shadowing(situation, outer):
                line = f"monkeypatch.setitem(sys.modules, {name!r}, None)"
                known.append(([line], ["import sys"], f"without {name}"))
            if guards.conditions or guards.handlers:
                known += [one[:3] for one in conditions(situation, (guards,)) if one[0]]
            yield from in_turns([self._under(situation, target, outer.name, *one) for one in known])

    def _under(
        self, situation: Situation, target: Definition, name: str,
        lines: list[str], imports: list[str], what: str,
    ) -> Iterator[Candidate]:  # fmt: skip
        module = situation.module.name
        start = (
            f"module = importlib.util.module_from_spec(importlib.util.find_spec({module!r}))",
            f"monkeypatch.setitem(sys.modules, {module!r}, module)",
            *lines,
            "module.__spec__.loader.exec_module(module)",
            f"{name} = module.{name}",
        )
        for draft in islice(drafts(situation, target, situation.answers()), _CALLS):
            needed = [one for one in draft.imports if one != f"from {module} import {name}"]
            again = replace(
                draft.asking("monkeypatch"),
                body=(*start, *draft.body),
                imports=("import importlib.util", "import sys", *imports, *needed),
                mocked=True,
                note=what,
            )
            yield from self._written(situation, again, f"{target.name} {what}")

    def _outside(self, situation: Situation) -> bool:
        """Whether a line or branch of the gap runs when the module is imported."""
        wanted = [*situation.gap.lines, *(a for a, _ in situation.gap.branches)]
        found = [situation.module.at(line) for line in wanted]
        return any(d is None or d.is_class for d in found)

    def _lookups(self, situation: Situation) -> Iterator[Candidate]:
        module = situation.module
        hook = module.definitions.get("__getattr__")
        if hook is None or hook not in situation.targets:
            return
        short = module.name.rpartition(".")[2]
        parent = module.name.rpartition(".")[0]
        access = f"from {parent} import {short}" if parent else f"import {short}"
        names = [syntax.literal(x) for x in literals(hook.node) if x[:1] in "'\""]
        names += [syntax.literal(x) for x in situation.body_literals if x[:1] in "'\""]
        names = [n for n in unique(n for n in names if isinstance(n, str)) if n.isidentifier()]
        for name in [*names, "no_such_attribute"]:
            draft = Draft((f"result = getattr({short}, {name!r})",), (access,))
            yield from self._written(situation, draft, name)
            caught = "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    "
            quiet = Draft((caught + draft.body[0],), (access, "import warnings"))
            yield from self._written(situation, quiet, name)

    def _main(self, situation: Situation) -> Iterator[Candidate]:
        guards = [ast.unparse(c.test) for g in situation.guards for c in g.conditions]
        if not any("__name__" in g for g in guards):
            return
        name = situation.module.name
        for argv in ("['prog']", "['prog', '--help']", "['prog', 'text']", "['prog', '1']"):
            # runpy warns of a module that is imported already, and a project may forbid warnings.
            lines = (f"monkeypatch.setattr('sys.argv', {argv})",
                     f"monkeypatch.delitem(sys.modules, {name!r}, raising=False)",
                     f"result = runpy.run_module({name!r}, run_name='__main__')")  # fmt: skip
            imports = ("import runpy", "import sys")
            draft = Draft(lines, imports, fixtures=("monkeypatch",), observe=(), mocked=True)
            yield from self._written(situation, draft, "as a script")


def outermost(definition: Definition) -> Definition:
    """Return the module-level definition that holds ``definition``."""
    while definition.owner is not None:
        definition = definition.owner
    return definition


def shadowing(situation: Situation, definition: Definition) -> list[str]:
    """Return the modules from which a later import binds the definition's name again."""
    found: list[str] = []
    for block in situation.module.tree.body:
        inner = block.body if isinstance(block, ast.Try | ast.If) else [block]
        for statement in inner:
            if statement.lineno > definition.end and isinstance(statement, ast.ImportFrom):
                names = {one.asname or one.name for one in statement.names}
                if definition.name in names:
                    found += _imported(situation, statement)[:1]
    return found


def is_conditional(situation: Situation, definition: Definition) -> bool:
    """Whether a definition is there only under conditions of its module's body."""
    outer = outermost(definition)
    guards = guards_of_line(situation.module, outer.node.lineno)
    return bool(guards.conditions or guards.handlers or shadowing(situation, outer))


def _old_builtins(situation: Situation) -> Iterator[str]:
    """Yield stand-ins for what Python 2 had of its own, where the module reads it."""
    read = set(names_used(situation.module.tree))
    for name, stand_in in _OLD_BUILTINS.items():
        if name in read:
            yield f"monkeypatch.setattr('builtins.{name}', {stand_in}, raising=False)"


def conditions(
    situation: Situation, guards: Sequence[Guards] | None = None
) -> Iterator[tuple[list[str], list[str], str, list[str]]]:
    """Yield statements that make module-level guards go the other way, with what to observe."""
    yield [], [], "imports", []
    names = _bound_near(situation)
    asked = situation.guards if guards is None else guards
    tests = [c.test for g in asked for c in g.conditions]
    text = " ".join(ast.unparse(t) for t in tests)
    if "version_info" in text:
        for version in _VERSIONS:
            yield (
                [
                    *(_old_builtins(situation) if version[0] == _OLD_MAJOR else ()),
                    f"monkeypatch.setattr('sys.version_info', {version})",
                ],
                [],
                "on another Python",
                names,
            )
    if "platform" in text:
        for platform in ("win32", "darwin", "linux"):
            yield (
                [f"monkeypatch.setattr('sys.platform', {platform!r})"],
                [],
                f"on {platform}",
                names,
            )
    if "os.name" in text:
        yield ["monkeypatch.setattr('os.name', 'nt')"], [], "on nt", names
    if "TYPE_CHECKING" in text:
        yield ["monkeypatch.setattr('typing.TYPE_CHECKING', True)"], [], "for type checkers", names
    if "environ" in text or "getenv" in text:
        for test in tests:
            for literal in literals(test):
                if literal[:1] in "'\"":
                    yield [f"monkeypatch.setenv({literal}, '1')"], [], f"with {literal}", names
    for node in ast.walk(situation.module.tree):
        if not isinstance(node, ast.Try) or not node.handlers:
            continue
        for statement in node.body:
            for name in _imported(situation, statement):
                line = f"monkeypatch.setitem(sys.modules, {name!r}, None)"
                yield [line], ["import sys"], f"without {name}", names


def _imported(situation: Situation, statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [a.name for a in statement.names]
    if isinstance(statement, ast.ImportFrom):
        base = statement.module or ""
        if statement.level:
            parts = situation.module.package.split(".")
            kept = parts[: len(parts) - (statement.level - 1)]
            base = ".".join([*kept, *([base] if base else [])])
        return [base, *(f"{base}.{a.name}" for a in statement.names)]
    return []


def _bound_near(situation: Situation) -> list[str]:
    found: list[str] = []
    for line in sorted(situation.gap.lines):
        node = situation.module.statements.get(line)
        if isinstance(node, ast.Assign):
            found += [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name + ".__name__")
    return unique(found)
