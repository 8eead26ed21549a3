"""A candidate made to hold: assertions corrected, errors expected, blocks opened again.

Each repair reads one trial and gives the next thing to try; nothing here runs anything.
"""

from __future__ import annotations

import ast
import builtins
import errno
import re
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions import text
from pytest_aipipe.assertions.clash import without_clash
from pytest_aipipe.explore.fact import is_stable_text
from pytest_aipipe.explore.looked import calls_code, looked_at

if TYPE_CHECKING:
    from pytest_aipipe.explore.trialed import Check, Raised, Trialed
    from pytest_aipipe.generate.model import Candidate

MAX_MATCH = 90
MAX_ESCAPES = 4  # with more of them a pattern is harder to read than a call of re.escape
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_EXPECTING = (
    "raises", "warns", "deprecated_call",
    "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex",
)  # fmt: skip
_CARELESS = frozenset({"NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError"})


def prelude_height(candidate: Candidate) -> int:
    """Return how many lines stand before the function in the candidate's module text."""
    if not candidate.prelude:
        return 0
    return "\n".join(candidate.prelude).count("\n") + 3


def repaired(candidate: Candidate, trial: Trialed) -> Candidate | None:
    """Return the candidate changed so that what the trial met is expected, or None."""
    if trial.outcome.status not in {"failed", "raised"}:
        return None
    height = prelude_height(candidate)
    changed = candidate
    wrong = [one for one in trial.checks if not one.held]
    # From the end, so that the lines of those before stay right.
    for check in sorted(wrong, key=lambda one: -one.line):
        fixed = _correct(changed, check, check.line - height)
        if fixed is None:
            return None
        changed = fixed
    if wrong and trial.raised is not None:
        return changed  # lines have moved: look again before the error is dealt with
    if trial.raised is not None:
        return _expect(changed, trial.raised, height)
    return changed if wrong else None


def _correct(candidate: Candidate, check: Check, line: int) -> Candidate | None:
    found = [
        one
        for one in text.statements(candidate.function)
        if isinstance(one.node, ast.Assert) and one.start == line
    ]
    if not found:
        return None
    (statement, *_) = found
    strong = [one for one in check.facts if one.strength > 1]
    if strong:
        indent = text.indent_of(candidate.function, statement.start)
        fact = without_clash(candidate, strong[0])
        new = text.replace(candidate.function, statement.start, statement.end, indent + fact.code)
        return with_changes(
            candidate, function=new, prelude=_with_imports(candidate.prelude, fact.imports)
        )
    assert isinstance(statement.node, ast.Assert)  # noqa: S101
    return with_changes(
        candidate, function=_without_claim(candidate.function, statement, statement.node.test)
    )


def _without_claim(source: str, statement: text.Statement, test: ast.expr) -> str:
    """Return ``source`` without an assertion; what that called is called all the same."""
    subject = looked_at(test) or _left(test)
    shorter = None if calls_code(subject) else text.delete(source, [statement])
    if shorter is not None:
        return shorter
    bare = text.indent_of(source, statement.start) + ast.unparse(subject)
    return text.replace(source, statement.start, statement.end, bare)


def _left(test: ast.expr) -> ast.expr:
    return test.left if isinstance(test, ast.Compare) else test


def _expect(candidate: Candidate, raised: Raised, height: int) -> Candidate | None:
    if raised.line is None or raised.when != "call":
        return None
    line = raised.line - height
    around = [one for one in text.statements(candidate.function) if one.start <= line <= one.end]
    if not around:
        return None
    # A block that expects a warning is wrong only where it says so itself.
    expecting = [one for one in around if _expects(one.node)]
    if expecting and not (_warns(expecting[-1].node) and not raised.failed):
        opened = _opened(candidate.function, expecting[-1])
        return with_changes(candidate, function=opened) if opened else None
    if is_of_the_sandbox(raised.text):
        return None
    if raised.failed and raised.at is None:
        return None  # an assertion of a helper, not an error of the code
    if raised.type_name in _CARELESS and (raised.at is None or raised.own):
        return None  # the test itself does not resolve against the code
    if raised.statement is None:
        return None
    if is_warning(raised):
        return warned(candidate, raised, line)
    return _wrap(candidate, raised, around)


def is_of_the_sandbox(message: str) -> bool:
    """Whether an error says that a file system is read-only: elsewhere there is none such."""
    return message.startswith(f"[Errno {errno.EROFS}]")


def _opened(source: str, block: text.Statement) -> str | None:
    """Return ``source`` with the block's body in its place, for what it expected did not come.

    What follows and looks at what would have been caught goes with it: `as error` binds nothing.
    """
    items = getattr(block.node, "items", ())
    bound = {name for one in items for name in _names(one.optional_vars, ast.Store)}
    gone = []
    for one in text.statements(source):
        if bound and one.start > block.end and bound & _names(one.node, ast.Load):
            gone.append(one)
            bound |= _names(one.node, ast.Store)
    shorter = text.delete(source, gone) if gone else source
    return text.unwrap(shorter, block) if shorter else None


def _names(node: ast.AST | None, context: type[ast.expr_context]) -> set[str]:
    found = ast.walk(node) if node is not None else ()
    return {n.id for n in found if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def is_warning(raised: Raised) -> bool:
    """Whether it is a warning of the changed code that the project's filters make an error."""
    known = getattr(builtins, raised.type_name, None)
    named = raised.type_name.endswith("Warning")
    is_one = issubclass(known, Warning) if isinstance(known, type) else named
    return is_one and raised.at is not None


def warned(candidate: Candidate, raised: Raised, line: int) -> Candidate | None:
    """Return the candidate with the warning expected around the function's ``line``.

    What stands after it stays: a warning, other than an error, lets the test go on.
    """
    around = [one for one in text.statements(candidate.function) if one.start <= line <= one.end]
    if not around or raised.statement is None:
        return None
    chosen = around[0]
    for one in around[1:]:
        if _expects(chosen.node) or not isinstance(chosen.node, ast.With | ast.AsyncWith):
            break
        chosen = one
    header, wanted = _expecting(candidate, raised, "warns")
    wrapped = text.wrap(candidate.function, chosen, header)
    if text.test_function(wrapped) is None:
        return None
    return with_changes(
        candidate, function=wrapped, prelude=_with_imports(candidate.prelude, wanted)
    )


def _is_unittest(candidate: Candidate) -> bool:
    source = candidate.function
    return text.is_class(source) and ("TestCase" in source or "self.assert" in source)


def _expects(node: ast.stmt) -> bool:
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(one.context_expr, ast.Call)
        and ast.unparse(one.context_expr.func).endswith(_EXPECTING)
        for one in node.items
    )


def _warns(node: ast.stmt) -> bool:
    calls = [ast.unparse(one.context_expr) for one in getattr(node, "items", ())]
    return any(".warns(" in one or ".assertWarns" in one for one in calls)


def _expecting(candidate: Candidate, raised: Raised, how: str) -> tuple[str, list[str]]:
    """Return the ``with`` line that expects ``raised`` (``how``: raises, warns), and imports.

    A unittest-style test says it with the methods of its class.
    """
    match, imports = match_argument(raised.text)
    wanted = [*imports, *([raised.statement] if raised.statement else [])]
    if not _is_unittest(candidate):
        return f"with pytest.{how}({raised.expression}{match}):", ["import pytest", *wanted]
    method = f"assert{how.title()}{'Regex' if match else ''}"
    return f"with self.{method}({raised.expression}{match.replace('match=', '', 1)}):", wanted


def _wrap(candidate: Candidate, raised: Raised, around: list[text.Statement]) -> Candidate | None:
    chosen = around[0]
    for one in around[1:]:
        if not isinstance(chosen.node, ast.With | ast.AsyncWith) or isinstance(one.node, ast.Raise):
            break  # what the test raises itself is for the block around it to let through
        chosen = one
    index = next(i for i, one in enumerate(chosen.block) if one is chosen.node)
    source = candidate.function
    after = [text.Statement(one, chosen.block) for one in chosen.block[index + 1 :]]
    outer_end = [one for one in around if one.end > chosen.end]
    if after:
        cut = text.delete(source, after)
        if cut is None:
            return None
        source = cut
    source = _cut_outer(source, chosen, outer_end)
    header, wanted = _expecting(candidate, raised, "raises")
    wrapped = text.wrap(source, chosen, header)
    wrapped = _plain_body(wrapped, header)
    return with_changes(
        candidate, function=wrapped, prelude=_with_imports(candidate.prelude, wanted)
    )


def _plain_body(source: str, header: str) -> str:
    """Write ``f(x)`` and not ``result = f(x)`` where nothing is ever assigned."""
    for one in text.statements(source):
        node = one.node
        if not isinstance(node, ast.With) or len(node.body) != 1:
            continue
        (inner,) = node.body
        if header.startswith(f"with {ast.unparse(node.items[0].context_expr)[:14]}") and isinstance(
            inner, ast.Assign | ast.AnnAssign
        ):
            value = inner.value
            if value is None or not isinstance(value, ast.Call | ast.Await):
                continue
            segment = ast.get_source_segment(source, value)
            if segment is None or "\n" in segment:
                continue
            indent = text.indent_of(source, inner.lineno)
            return text.replace(
                source, inner.lineno, inner.end_lineno or inner.lineno, indent + segment
            )
    return source


def _cut_outer(source: str, chosen: text.Statement, outer: list[text.Statement]) -> str:
    """Drop what would stand after the blocks around the statement that raises."""
    for block in outer:
        rest = [
            one
            for one in text.statements(source)
            if one.start > block.end and one.node.col_offset == block.node.col_offset
        ]
        if rest:
            cut = text.delete(source, rest)
            source = cut or source
    _ = chosen
    return source


def match_argument(message: str) -> tuple[str, list[str]]:
    """Return the ``match=`` argument for an error's message, with the imports it needs.

    ``match`` searches: without anchors, a message with more before or after it would do.
    """
    first = message.strip().splitlines()[0].strip() if message.strip() else ""
    if not first or not is_stable_text(first) or re.search(r"<[^>]* at |object at", first):
        return "", []
    shown = first if len(first) <= MAX_MATCH else first[:MAX_MATCH].rsplit(" ", 1)[0]
    if not shown.isprintable():
        return "", []
    start = "^" if message.startswith(shown) else ""
    end = "$" if message == shown else ""
    special = len(_SPECIAL.findall(shown))
    if special > MAX_ESCAPES or (special and '"' in shown):
        literal = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
        parts = [f'"{start}"' if start else "", f"re.escape({literal})", f'"{end}"' if end else ""]
        return f", match={' + '.join(filter(None, parts))}", ["import re"]
    if special:
        return f', match=r"{start}{_SPECIAL.sub(_escaped, shown)}{end}"', []
    literal = start + shown.replace('"', '\\"') + end
    return f', match="{literal}"', []


def without_messages(candidate: Candidate) -> Candidate:
    """Return the candidate with the errors that it expects told by their kind alone."""
    lines = candidate.function.splitlines()
    for node in ast.walk(syntax.parse(candidate.function)):
        if not isinstance(node, ast.With) or not _expects(node):
            continue
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or call.lineno != call.end_lineno:
                continue
            kept = [one for one in call.keywords if one.arg != "match"]
            if len(kept) == len(call.keywords):
                continue
            call.keywords = kept
            line = lines[call.lineno - 1].encode()
            start, end = call.col_offset, call.end_col_offset or 0
            lines[call.lineno - 1] = (
                line[:start] + ast.unparse(call).encode() + line[end:]
            ).decode()
    return with_changes(candidate, function="\n".join(lines) + "\n")


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found.group()}"


def _with_imports(prelude: tuple[str, ...], wanted: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (*prelude, *[one for one in dict.fromkeys(wanted) if one not in prelude])


def add_imports(candidate: Candidate, wanted: tuple[str, ...]) -> Candidate:
    """Return the candidate with the statements that are missing from its prelude."""
    return with_changes(candidate, prelude=_with_imports(candidate.prelude, wanted))
