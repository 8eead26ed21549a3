"""What one Python file imports, read from its text; it is never run.

An import inside a function counts like one at the top: it may run. What cannot be told
from the text (a computed module name) is marked *dynamic*, and what starts other programs
is marked *spawning*, so that who decides can stay on the safe side.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from aipipe_core import syntax

_IMPORTERS = ("import_module", "__import__", "importorskip", "reload", "resolve_name")
_DYNAMIC = ("exec_module", "spec_from_file_location", "iter_modules", "walk_packages", "run_path",
            "run_module", "entry_points", "SourceFileLoader", "load_module")  # fmt: skip
_SPAWNING = ("subprocess", "popen", "Popen", "create_subprocess_exec", "create_subprocess_shell",
             "system", "spawnv", "execv", "pytester", "testdir", "multiprocessing",
             "script_runner")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imports:
    """Imports of one file.

    ``names`` are absolute dotted names (``a.b`` for ``import a.b`` and for
    ``from a import b``); ``relative`` are ``(level, dotted name)``. ``words`` are the
    file's string constants that could name a file or a module. ``runs_python`` says that
    it looks at ``sys.executable``.
    """

    names: frozenset[str] = frozenset()
    relative: frozenset[tuple[int, str]] = frozenset()
    words: frozenset[str] = frozenset()
    dynamic: bool = False
    spawning: bool = False
    runs_python: bool = False
    readable: bool = True


@dataclass(slots=True)
class _Found:
    names: set[str] = field(default_factory=set)
    relative: set[tuple[int, str]] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    dynamic: bool = False
    spawning: bool = False
    runs_python: bool = False


def read_imports(source: bytes) -> Imports:
    """Return what ``source`` imports; what cannot be parsed is dynamic and not readable."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Imports(dynamic=True, spawning=True, readable=False)
    found = _Found()
    for node in ast.walk(tree):
        _note(node, found)
    return Imports(
        names=frozenset(found.names),
        relative=frozenset(found.relative),
        words=frozenset(found.words),
        dynamic=found.dynamic,
        spawning=found.spawning,
        runs_python=found.runs_python,
    )


def _note(node: ast.AST, found: _Found) -> None:
    match node:
        case ast.Import(names=names):
            for alias in names:
                found.names.add(alias.name)
                _word(alias.name.partition(".")[0], found)
        case ast.ImportFrom(module=module, names=names, level=level):
            dotted = [".".join(filter(None, (module, alias.name))) for alias in names]
            if level:
                found.relative.update((level, name) for name in (*dotted, module or ""))
            else:
                found.names.update((*dotted, module or ""))
            for alias in names:
                _word(alias.name, found)
        case ast.Call(func=func, args=args):
            _call(func, args, found)
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.arg(arg=name):
            _word(name, found)
        case ast.Constant(value=str(text)) if text and len(text) < 200:  # noqa: PLR2004
            found.words.add(text)
            _plugin_name(text, found)
        case _:
            pass


def _call(func: ast.expr, args: list[ast.expr], found: _Found) -> None:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name not in _IMPORTERS:
        return
    match args:
        case [ast.Constant(value=str(target)), *_] if not target.startswith("."):
            found.names.add(target)
        case _:
            found.dynamic = True


def _word(name: str, found: _Found) -> None:
    if name in _DYNAMIC:
        found.dynamic = True
    if name in _SPAWNING:
        found.spawning = True
    if name == "executable":
        found.runs_python = True


def _plugin_name(text: str, found: _Found) -> None:
    """Take a string that reads like a dotted name for an import: a plugin, a mock's target."""
    if "." in text and all(part.isidentifier() for part in text.split(".")):
        found.names.add(text)
