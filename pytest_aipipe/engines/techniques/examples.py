"""The docstring examples of the gap's symbols as tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.source.usages import examples, module_imports
from pytest_aipipe.engines.source.writer import Draft, write
from pytest_aipipe.engines.techniques.base import Proposals, batched

if TYPE_CHECKING:
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.generate.model import Candidate

_SESSIONS = 8


class Examples:
    """Doctest sessions: each example with the statements before it that it needs."""

    name = "examples"

    def propose(self, situation: Situation) -> Proposals:
        """Yield one candidate for each example, those of the changed symbol first."""
        found: list[Candidate] = []
        for session in examples(situation)[:_SESSIONS]:
            found += self._session(situation, session)
        yield from batched(found[:60])

    def _session(self, situation: Situation, session: list[str]) -> list[Candidate]:
        found: list[Candidate] = []
        before: list[str] = []
        imports: list[str] = []
        for source in session:
            try:
                nodes = syntax.parse(source).body
            except SyntaxError:
                continue
            if not nodes:  # an example that is only a comment
                continue
            node = nodes[0]
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.append(source)
            elif isinstance(node, ast.Expr):
                if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "print":
                    call = ", ".join(ast.unparse(a) for a in node.value.args)
                else:
                    call = ast.unparse(node.value)
                found += self._written(situation, before, imports, f"result = {call}")
                if isinstance(node.value, ast.Call | ast.Await):
                    before.append(ast.unparse(node))
            else:
                before.append(source)
                if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                    found += self._written(situation, before[:-1], imports, source)
        return found

    def _written(
        self, situation: Situation, before: list[str], imports: list[str], last: str
    ) -> list[Candidate]:
        lines = [*before, last]
        draft = Draft(tuple(lines), (*module_imports(situation, lines), *imports))
        name = f"{situation.gap.symbol.replace('<module>', 'module')} example"
        made = write(draft, self.name, name)
        return [made] if made is not None else []
