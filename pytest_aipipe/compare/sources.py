"""Both sides' texts of the files that changed, and the names they are imported by.

A session measures files that have a line to measure. A file from which lines were only
taken away has none, and is where behaviour is lost most easily.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core import syntax
from aipipe_core.change import Kind, file_at
from pytest_aipipe.generate.model import Candidate, Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aipipe_core.change.model import Change, FileChange
    from pytest_aipipe.compare.model import Place
    from pytest_aipipe.generate.request import AdmittedTest, Request


@dataclass(frozen=True, slots=True)
class Texts:
    """What can be compared: texts by path on both sides, and import names."""

    base: dict[str, str]
    head: dict[str, str]
    modules: dict[str, str]
    removed: dict[str, frozenset[int]]
    added: dict[str, frozenset[int]]


def texts_of(change: Change, request: Request) -> Texts:
    """Return the changed modules that both sides have; tests are no such modules."""
    found = Texts({}, {}, {}, {}, {})
    for file in change.files:
        if not _is_comparable(file):
            continue
        base = _text(change, change.base, file.path)
        head = request.sources.get(file.path) or _text(change, change.head, file.path)
        module = request.modules.get(file.path) or module_name(
            change.root / file.path, request.python_path, change.root
        )
        if base is None or head is None or not module:
            continue
        found.base[file.path], found.head[file.path] = base, head
        found.modules[file.path] = module
        found.removed[file.path] = frozenset(n for h in file.hunks for n in h.old_lines)
        found.added[file.path] = file.changed_lines
    return found


def _is_comparable(file: FileChange) -> bool:
    plain = file.status in {"M", "T"} and file.path.endswith((".py", ".pyw"))
    return plain and Kind.TESTS not in file.kinds and not file.error


def _text(change: Change, revision: str, path: str) -> str | None:
    content = file_at(change.root, revision, path)
    return None if content is None else content.decode("utf-8", errors="replace")


def module_name(file: Path, python_path: Iterable[str], root: Path) -> str:
    """Return the dotted name that ``file`` is imported by; empty where it cannot be.

    The deepest entry of the import path that holds the file decides, unless that is a
    package's own folder.
    """
    entries = [Path(entry) for entry in python_path]
    holding = [e for e in entries if file.is_relative_to(e) and e.is_relative_to(root)]
    for entry in sorted(holding, key=lambda e: -len(e.parts)):
        if (entry / "__init__.py").exists():
            continue
        parts = file.relative_to(entry).with_suffix("").parts
        if parts[-1:] == ("__init__",):
            parts = parts[:-1]
        if parts and all(part.isidentifier() for part in parts):
            return ".".join(parts)
    return ""


def with_texts(request: Request, texts: Texts, found: Sequence[Place]) -> Request:
    """Return head's request widened to every file that can be compared, its gaps the places."""
    return replace(
        request,
        sources={**request.sources, **texts.head},
        modules={**request.modules, **texts.modules},
        added={**request.added, **texts.added},
        gaps=[Gap(p.path, p.module, p.symbol, p.head_lines, frozenset()) for p in found],
    )


def candidates_of(tests: Sequence[AdmittedTest], files: Mapping[str, str]) -> list[Candidate]:
    """Return written tests as candidates: each with its file's imports and helpers."""
    preludes = {name: prelude_of(text) for name, text in files.items()}
    return [
        Candidate(test.technique, test.name, test.source, preludes[test.module_name])
        for test in tests
        if test.module_name in preludes
    ]


def prelude_of(text: str) -> tuple[str, ...]:
    """Return the statements of a test file that are no tests."""
    statements = []
    for node in syntax.parse(text).body:
        is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
            node.name.lower().startswith("test")
        )
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_test and not is_docstring:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            lines = text.splitlines()[first - 1 : node.end_lineno]
            statements.append("\n".join(lines))
    return tuple(statements)


def test_paths(files: Sequence[FileChange]) -> list[str]:
    """Return the test files that changed: both sides are to run under the head's."""
    return [file.path for file in files if Kind.TESTS in file.kinds]


test_paths.__test__ = False  # type: ignore[attr-defined]
