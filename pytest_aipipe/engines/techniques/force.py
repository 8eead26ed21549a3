"""Force the surroundings: make a call inside ``try`` raise, set platform, environment, streams."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.failures import error_raised
from pytest_aipipe.engines.analysis.mined import unique
from pytest_aipipe.engines.analysis.shapes import type_names
from pytest_aipipe.engines.source.edits import in_turns
from pytest_aipipe.engines.source.existing import names_used, take
from pytest_aipipe.engines.source.fakes import Fake, fakes_of, starts_process
from pytest_aipipe.engines.source.inherited import whole_file
from pytest_aipipe.engines.source.platforms import bound_elsewhere, platforms_for
from pytest_aipipe.engines.source.writer import Draft, write
from pytest_aipipe.engines.techniques.construct import drafts, routes
from pytest_aipipe.generate.model import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.guards import Guards
    from pytest_aipipe.engines.analysis.solve import Answers
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals

_MOST = 200
_BATCH = 12
_PATCHES = 40
_BUILTINS = ("open", "input", "print", "__import__", "getattr", "int", "float", "compile", "exec")


@dataclass(frozen=True, slots=True)
class Patch:
    """One surrounding to force: statements for the start of a test, and what they need."""

    lines: tuple[str, ...]
    imports: tuple[str, ...] = ()
    note: str = ""


class Force:
    """Tests of this technique say that they are mocked."""

    name = "force"

    def propose(self, situation: Situation) -> Proposals:
        """Yield calls into the gap, and clones of near tests, under each forced surrounding."""
        patches = patches_for(situation)
        solved = situation.answers()
        streams = [self._calls(situation, p, solved) for p in patches]
        streams += [self._clones(situation, p) for p in patches]
        candidates = islice(in_turns(streams), _MOST)
        while batch := list(islice(candidates, _BATCH)):
            yield batch

    def _calls(self, situation: Situation, patch: Patch, solved: Answers) -> Iterator[Candidate]:
        per_route = [islice(drafts(situation, d, solved), 24) for d in routes(situation)]
        for draft in islice(in_turns(per_route), 30):
            made = write(patched(draft, patch), self.name, f"{situation.gap.symbol} {patch.note}")
            if made is not None:
                yield made

    def _clones(self, situation: Situation, patch: Patch) -> Iterator[Candidate]:
        for test in situation.tests[:8]:
            file = whole_file(test.source_path, situation.scene.test_sources)
            taken = take(file, test.qualname) if file is not None else None
            if taken is None or (taken.owner is not None and taken.owner.bases):
                continue
            function = taken.function
            function.body = [*syntax.parse("\n".join(patch.lines)).body, *function.body]
            names = {a.arg for a in function.args.args}
            if "monkeypatch" not in names:
                function.args.args.append(ast.arg(arg="monkeypatch"))
                if function.args.defaults:
                    continue
            text = taken.render(function)
            prelude = (*taken.prelude(function), *patch.imports)
            candidate = Candidate(
                technique=self.name, name=taken.name(function), function=text,
                prelude=tuple(unique(prelude)), mocked=True, origin=test.nodeid, note=patch.note,
            )  # fmt: skip
            situation.taken[text] = replace(taken, function=function)
            yield candidate


def patched(draft: Draft, patch: Patch) -> Draft:
    """Return ``draft`` under a forced surrounding."""
    draft = draft.asking("monkeypatch").importing(*patch.imports)
    return replace(draft, body=(*patch.lines, *draft.body), mocked=True, note=patch.note)


def patches_for(situation: Situation) -> list[Patch]:
    """Return the surroundings that the guards and handlers on the way ask for."""
    found: list[Patch] = []
    for guards in situation.guards:
        around = _around(situation, guards)
        for block, handler in guards.handlers:
            raising = list(_raising(situation, block, handler))
            found += raising
            found += [_both(other, one) for one in raising for other in around]
    for guards in situation.guards:
        for condition in reversed(guards.conditions):
            found += _surrounding(situation, condition.test, wanted=condition.wanted)
    for target in situation.targets:
        for node in ast.walk(target.node):
            if isinstance(node, ast.Call):
                found += _environment(node)
                found += _returning(situation, node)
    fakes = [fake for target in situation.targets for fake in fakes_of(target.node)]
    patches = [_here(situation, fake) for fake in fakes]
    found += patches
    # No program is started where one would be, whatever else is forced.
    started = [p for p, fake in zip(patches, fakes, strict=True) if starts_process(fake)]
    for base in started[:1]:
        found = [p if p in started else _both(base, p) for p in found]
    return list({p.lines: p for p in found}.values())[:_PATCHES]


def _around(situation: Situation, guards: Guards) -> list[Patch]:
    """Return the surrounding that each condition on the way to a handler asks for first."""
    found = (
        next(_surrounding(situation, one.test, wanted=one.wanted), None)
        for one in reversed(guards.conditions)
    )
    return [patch for patch in found if patch is not None][:2]


def _here(situation: Situation, fake: Fake) -> Patch:
    """Return a stand-in as a patch, put where the module looks for it."""
    patch = Patch(fake.lines, fake.imports, fake.note)
    owner, _, name = ast.unparse(_patched_name(fake)).strip("'").rpartition(".")
    if situation.module.imported.get(name) != f"from {owner} import {name}":
        return patch
    value = fake.lines[-1].partition(", ")[2].removesuffix(")")
    short, access = _access(situation)
    line = f"monkeypatch.setattr({short}, {name!r}, {value}{_raising_or_not(situation, name)})"
    return Patch((*fake.lines[:-1], line), (*fake.imports, access), fake.note)


def _patched_name(fake: Fake) -> ast.expr:
    call = syntax.parse(fake.lines[-1], mode="eval").body
    return call.args[0] if isinstance(call, ast.Call) and call.args else ast.Constant("")


def _access(situation: Situation) -> tuple[str, str]:
    """Return the name of the module for a test, and the statement that imports it."""
    parent, _, short = situation.module.name.rpartition(".")
    return short, f"from {parent} import {short}" if parent else f"import {short}"


def _raising_or_not(situation: Situation, name: str) -> str:
    return ", raising=False" if name in bound_elsewhere(situation.module) else ""


def _both(one: Patch, other: Patch) -> Patch:
    return Patch((*one.lines, *other.lines), (*one.imports, *other.imports), other.note)


def _raising(situation: Situation, block: ast.Try, handler: ast.ExceptHandler) -> Iterator[Patch]:
    errors = type_names(handler.type) if handler.type is not None else ["ValueError"]
    calls = [n for s in block.body for n in ast.walk(s) if isinstance(n, ast.Call)]
    for error in errors[:2]:
        for call in calls:
            yield from _opening_fails(situation, call, error)
            yield from _call_raises(situation, ast.unparse(call.func), error)
        for statement in block.body:
            if isinstance(statement, ast.Import | ast.ImportFrom) and "Import" in error:
                yield from _missing_import(statement)


def _opening_fails(situation: Situation, call: ast.Call, error: str) -> Iterator[Patch]:
    """Let files be opened, but not in the mode of ``call``: to read a file still works."""
    mode = call.args[1] if len(call.args) > 1 else None
    if ast.unparse(call.func) != "open" or not isinstance(mode, ast.Constant):
        return
    parent, _, short = situation.module.name.rpartition(".")
    body = (
        "def fail(file, mode='r', *args, **kwargs):\n"
        f"    if mode == {mode.value!r}:\n"
        f"        raise {error_raised(error)}\n"
        "    return open(file, mode, *args, **kwargs)"
    )
    line = f"monkeypatch.setattr({short}, 'open', fail, raising=False)"
    statement = f"from {parent} import {short}" if parent else f"import {short}"
    yield Patch((body, line), (statement,), f"when a file cannot be opened for {mode.value!r}")


def _call_raises(situation: Situation, callee: str, error: str) -> Iterator[Patch]:
    module, root = situation.module, callee.split(".", maxsplit=1)[0]
    parent, _, short = module.name.rpartition(".")
    imports = [f"from {parent} import {short}" if parent else f"import {short}"]
    if error.split(".", maxsplit=1)[0] in module.imported:
        imports.append(module.imported[error.split(".", maxsplit=1)[0]])
    elif error.split(".", maxsplit=1)[0] in module.definitions:
        imports.append(f"from {module.name} import {error.split('.', maxsplit=1)[0]}")
    body = f"def fail(*args, **kwargs):\n    raise {error_raised(error)}"
    if "(" in callee or "[" in callee:
        return
    note = f"when {callee.replace('.', ' ')} fails"
    own = {d.name for d in module.definitions.values() if d.owner is None}
    if root in bound_elsewhere(module) and callee.count(".") <= 1:
        made = f"SimpleNamespace({callee.partition('.')[2]}=fail)" if "." in callee else "fail"
        line = f"monkeypatch.setattr({short}, {root!r}, {made}, raising=False)"
        yield Patch((body, line), (*imports, "from types import SimpleNamespace"), note)
    elif root in module.imported or root in own:
        where = f"{short}.{callee}"
        holder, _, attr = where.rpartition(".")
        yield Patch((body, f"monkeypatch.setattr({holder}, {attr!r}, fail)"), tuple(imports), note)
        if module.imported.get(root, "").startswith("import ") and callee.count(".") >= 1:
            plain = (module.imported[root], *imports[1:])
            owner, _, name = callee.rpartition(".")
            yield Patch((body, f"monkeypatch.setattr({owner}, {name!r}, fail)"), plain, note)
        if callee.count(".") > 1:  # the methods of built-in types cannot be replaced, the type can
            owner, _, name = callee.rpartition(".")
            holder, _, held = f"{short}.{owner}".rpartition(".")
            line = f"monkeypatch.setattr({holder}, {held!r}, SimpleNamespace({name}=fail))"
            yield Patch((body, line), (*imports, "from types import SimpleNamespace"), note)
    elif root in _BUILTINS and "." not in callee:
        line = f"monkeypatch.setattr({short}, {callee!r}, fail, raising=False)"
        yield Patch((body, line), tuple(imports), note)
    elif root in {"self", "cls"} and callee.count(".") == 1:
        for target in situation.targets:
            if target.owner is not None and target.owner.is_class:
                holder = target.owner.qualname
                statement = f"from {module.name} import {holder.split('.')[0]}"
                line = f"monkeypatch.setattr({holder}, {callee.split('.')[1]!r}, fail)"
                yield Patch((body, line), (statement, *imports[1:]), note)


def _returning(situation: Situation, node: ast.Call) -> Iterator[Patch]:
    """Replace a call into another module, which may fail here, by one with a plain result."""
    callee = ast.unparse(node.func)
    root, _, rest = callee.partition(".")
    statement = situation.module.imported.get(root, "")
    if not rest or not statement.startswith("import ") or "(" in callee or "[" in callee:
        return
    if statement.startswith("import typing"):
        return
    owner, _, name = callee.rpartition(".")
    values = ("'1.2.3'", "'1.2.3rc1'") if "version" in name else ("'text'", "1", "None", "[]")
    for value in values:
        line = f"monkeypatch.setattr({owner}, {name!r}, lambda *args, **kwargs: {value})"
        yield Patch((line,), (statement,), f"when {name} gives {value.strip(chr(39))}")


def _missing_import(statement: ast.Import | ast.ImportFrom) -> Iterator[Patch]:
    if isinstance(statement, ast.ImportFrom):
        names = [statement.module or ""]
    else:
        names = [a.name for a in statement.names]
    for name in names:
        if name:
            line = f"monkeypatch.setitem(sys.modules, {name!r}, None)"
            yield Patch((line,), ("import sys",), f"without {name}")


def _surrounding(situation: Situation, test: ast.expr, *, wanted: bool) -> Iterator[Patch]:
    text = ast.unparse(test)
    module = situation.module
    short = module.name.rpartition(".")[2]
    access = (f"import {module.name}" if "." not in module.name
              else f"from {module.name.rpartition('.')[0]} import {short}",)  # fmt: skip
    if "sys.platform" in text:
        for platform in platforms_for(test, wanted=wanted):
            yield _on(situation, f"monkeypatch.setattr('sys.platform', {platform!r})", platform)
    if "os.name" in text:
        for name in ("nt", "posix"):
            yield _on(situation, f"monkeypatch.setattr('os.name', {name!r})", name)
    if "platform.system" in text:
        for name in ("Windows", "Darwin", "Linux"):
            yield _on(situation, f"monkeypatch.setattr('platform.system', lambda: {name!r})", name)
    if "sys.version_info" in text:
        for version in ((2, 7, 0), (3, 8, 0), (3, 99, 0)):
            yield Patch(
                (f"monkeypatch.setattr('sys.version_info', {version})",), (), "on another Python"
            )
    own = {d.name for d in module.definitions.values() if d.owner is None}
    constants = {t.id for n in module.tree.body if isinstance(n, ast.Assign)
                 for t in n.targets if isinstance(t, ast.Name)}  # fmt: skip
    for name in names_used(test):
        if name in constants or (name.isupper() and name in module.imported):
            for value in ("True", "1") if wanted else ("False", "None"):
                line = f"monkeypatch.setattr({short}, {name!r}, {value})"
                yield Patch((line,), access, f"with {name}")
    for node in ast.walk(test):
        if not isinstance(node, ast.Call):
            continue
        callee = ast.unparse(node.func)
        root = callee.split(".")[0]
        if (root in module.imported or root in own) and "(" not in callee:
            parent, _, attr = f"{short}.{callee}".rpartition(".")
            for value in ("True", "False", "None", "'text'"):
                line = f"monkeypatch.setattr({parent}, {attr!r}, lambda *args, **kwargs: {value})"
                yield Patch(
                    (line,), access, f"when {callee.replace('.', ' ')} is {value.strip(chr(39))}"
                )


def _on(situation: Situation, line: str, name: str) -> Patch:
    """Return a platform as a patch, with stand-ins for names that the module binds there alone."""
    used = {n for target in situation.targets for n in names_used(target.node)}
    missing = sorted((used & bound_elsewhere(situation.module)) - _faked(situation))
    short, access = _access(situation)
    lines = [f"monkeypatch.setattr({short}, {n!r}, MagicMock(), raising=False)" for n in missing]
    imports = (access, "from unittest.mock import MagicMock") if missing else ()
    return Patch((*lines, line), imports, f"on {name}")


def _faked(situation: Situation) -> set[str]:
    """Return the names that have a stand-in of their own."""
    fakes = (fake for target in situation.targets for fake in fakes_of(target.node))
    return {ast.unparse(_patched_name(fake)).strip("'").rpartition(".")[2] for fake in fakes}


def _environment(node: ast.Call) -> Iterator[Patch]:
    callee = ast.unparse(node.func)
    if callee in {"os.environ.get", "os.getenv", "environ.get", "getenv"} and node.args:
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            for value in ("1", "0", "", "text", "a -b"):
                yield Patch(
                    (f"monkeypatch.setenv({name.value!r}, {value!r})",), (), f"with {name.value}"
                )
            yield Patch(
                (f"monkeypatch.delenv({name.value!r}, raising=False)",), (), f"without {name.value}"
            )
