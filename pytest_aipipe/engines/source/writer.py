"""Candidates from parts: imports, arrangement, call, name."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.generate.model import Brood, Candidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_aipipe.engines.source.values import Value


@dataclass(frozen=True, slots=True)
class Draft:
    """A test in the making: ``body`` lines in order, without indentation of the function."""

    body: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()
    observe: tuple[str, ...] = ("result",)
    marks: tuple[str, ...] = ()
    is_async: bool = False
    mocked: bool = False
    note: str = ""
    after: tuple[str, ...] = field(default=())  # lines after the call

    def needing(self, value: Value) -> Draft:
        """Return the draft with what ``value`` needs put before what comes next."""
        return replace(
            self,
            body=(*self.body, *(s for s in value.setup if s not in self.body)),
            imports=(*self.imports, *value.imports),
        )

    def then(self, *lines: str) -> Draft:
        """Return the draft with lines added."""
        return replace(self, body=(*self.body, *lines))

    def importing(self, *statements: str) -> Draft:
        """Return the draft with imports added."""
        return replace(self, imports=(*self.imports, *(s for s in statements if s)))

    def asking(self, *fixtures: str) -> Draft:
        """Return the draft with fixtures asked for."""
        new = tuple(f for f in fixtures if f not in self.fixtures)
        return replace(self, fixtures=(*self.fixtures, *new))


def identifier(text: str) -> str:
    """Return ``text`` as the words of a test's name."""
    return re.sub(r"_+", "_", re.sub(r"\W+", "_", text)).strip("_").lower()[:60] or "module"


def write(draft: Draft, technique: str, name: str, *, origin: str = "") -> Candidate | None:
    """Return the candidate that ``draft`` describes, or None where it is not valid Python."""
    head = "async def" if draft.is_async else "def"
    lines = [f"@{mark}" for mark in draft.marks]
    test_name = "test_" + identifier(name)
    lines.append(f"{head} {test_name}({', '.join(draft.fixtures)}):")
    for line in (*draft.body, *draft.after):
        lines += ["    " + part if part else "" for part in line.splitlines()]
    function = "\n".join(lines) + "\n"
    prelude = prelude_of((*draft.imports, *draft.helpers))
    try:
        syntax.parse("\n".join((*prelude, function)))
    except (SyntaxError, ValueError):
        return None
    names = {n.id for n in ast.walk(syntax.parse(function)) if isinstance(n, ast.Name)}
    bound = {*names, *draft.fixtures}
    observe = tuple(o for o in draft.observe if o.split(".")[0].split("[")[0] in bound)
    return Candidate(
        technique=technique, name=test_name, function=function, prelude=prelude,
        observe=observe, mocked=draft.mocked, origin=origin, note=draft.note,
    )  # fmt: skip


def prelude_of(statements: Iterable[str]) -> tuple[str, ...]:
    """Return statements without repetition, ``__future__`` and other imports before the rest."""
    found = list(dict.fromkeys(s for s in statements if s))
    future = [s for s in found if s.startswith("from __future__")]
    imports = sorted(
        (s for s in found if s.startswith(("import ", "from ")) and s not in future),
        key=lambda s: (s.startswith("from "), s),
    )
    return (*future, *imports, *(s for s in found if s not in future and s not in imports))


def fingerprint(candidate: Candidate) -> str:
    """Return a hash of what the candidate does, its name left out."""
    text = "\n".join((*candidate.prelude, candidate.function))
    with contextlib.suppress(SyntaxError, ValueError):
        text = ast.unparse(syntax.parse(text.replace(candidate.name, "test")))
    if isinstance(candidate, Brood):
        text += f"\n# {candidate.seed}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def call(function: str, arguments: Sequence[str]) -> str:
    """Return the source of a call."""
    return f"{function}({', '.join(arguments)})"
