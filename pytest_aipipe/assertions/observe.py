"""Which observed values a test asserts: few, strong, and about what the code did."""

from __future__ import annotations

import ast
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions import text
from pytest_aipipe.assertions.clash import without_clash
from pytest_aipipe.assertions.printed import on_output
from pytest_aipipe.assertions.repair import add_imports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.explore.fact import Fact
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate

MAX_ASSERTS = 4
VALUE = 3
_RESULT_NAMES = ("result", "outcome", "answer", "value_returned")


_SEEN = "_aipipe_seen_"
_NOTHING = (" is None", " == []", " == {}", " == ()", ' == ""', " == ''", " == 0", " == set()")
_WARNS = frozenset({"warns", "deprecated_call", "assertWarns", "assertWarnsRegex"})


def with_all_results(candidate: Candidate) -> Candidate:
    """Return the candidate with every bare call bound to a name, so that it can be seen."""
    candidate = with_result(candidate)
    function = text.test_function(candidate.function)
    if function is None:
        return candidate
    lines = candidate.function.splitlines()
    names: list[str] = []
    for node in function.body:
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call | ast.Await)
            and not _is_assertion_call(node.value)
            and not _is_arranging(node.value)
        ):
            name = f"{_SEEN}{len(names)}"
            head = lines[node.lineno - 1]
            lines[node.lineno - 1] = f"{head[: node.col_offset]}{name} = {head[node.col_offset :]}"
            names.append(name)
    return with_changes(
        candidate,
        function="\n".join(lines) + "\n",
        observe=(*candidate.observe, *names),
    )


def assert_in_place(candidate: Candidate, trial: Trialed) -> Candidate:
    """Return the candidate with its bare calls bare again, or asserted where they stand."""
    imports: list[str] = []
    while True:
        one = next((s for s in text.statements(candidate.function) if _seen_name(s.node)), None)
        if one is None or not isinstance(one.node, ast.Assign):
            break
        name = _seen_name(one.node)
        lines = candidate.function.splitlines()[one.start - 1 : one.end]
        call = "\n".join(lines).replace(f"{name} = ", "", 1)
        facts = [f for f in trial.facts.get(name, ()) if f.code.startswith(f"assert {name} == ")]
        indent = text.indent_of(candidate.function, one.start)
        if facts and len(lines) == 1:
            fact = without_clash(candidate, facts[0])
            call = indent + fact.code.replace(name, call.strip(), 1)
            imports += fact.imports
        candidate = with_changes(
            candidate, function=text.replace(candidate.function, one.start, one.end, call)
        )
    observed = tuple(name for name in candidate.observe if not name.startswith(_SEEN))
    return add_imports(with_changes(candidate, observe=observed), tuple(imports))


def without_results(trial: Trialed) -> Trialed:
    """Return the trial without what the calls gave that :func:`with_all_results` named."""
    kept = {name: facts for name, facts in trial.facts.items() if not name.startswith(_SEEN)}
    return with_changes(trial, facts=kept)


def _seen_name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        return name if name.startswith(_SEEN) else ""
    return ""


def with_result(candidate: Candidate) -> Candidate:
    """Return the candidate with its last bare call bound to a name, so that it can be seen."""
    found = text.statements(candidate.function)
    function = text.test_function(candidate.function)
    if not found or function is None:
        return candidate
    last = function.body[-1]
    while isinstance(last, ast.With | ast.AsyncWith) and not _expects_error(last):
        last = last.body[-1]
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call | ast.Await):
        return candidate
    if _is_assertion_call(last.value):
        return candidate
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    used |= {one.arg for one in function.args.args}
    name = next((one for one in _RESULT_NAMES if one not in used), None)
    if name is None:
        return candidate
    lines = candidate.function.splitlines()
    head = lines[last.lineno - 1]
    lines[last.lineno - 1] = f"{head[: last.col_offset]}{name} = {head[last.col_offset :]}"
    return with_changes(candidate, function="\n".join(lines) + "\n")


def _is_assertion_call(value: ast.expr) -> bool:
    call = value.value if isinstance(value, ast.Await) else value
    name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
    return ".assert" in name or name.startswith(("pytest.fail", "pytest.skip", "assert_"))


def _is_arranging(value: ast.expr) -> bool:
    """Whether the call makes a file: how many characters it wrote says nothing of the code."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in {"write_text", "write_bytes", "mkdir", "touch"}
    )


def _expects_error(node: ast.With | ast.AsyncWith) -> bool:
    return any(
        ast.unparse(one.context_expr).startswith(("pytest.raises(", "raises(", "self.assertRaises"))
        for one in node.items
    )


def expects_error(source: str) -> bool:
    """Return whether the test says that an error is raised."""
    return any(
        isinstance(node, ast.With | ast.AsyncWith) and _expects_error(node)
        for node in ast.walk(syntax.parse(source))
    )


def asserted(candidate: Candidate, trial: Trialed, *, has: bool) -> Candidate:
    """Return the candidate with assertions on what the trial saw at its end.

    A test that asserts of itself (``has``) keeps to that, unless its engine named what to
    observe.
    """
    facts = [without_clash(candidate, one) for one in _chosen(candidate, trial, only_named=has)]
    if not has and all(one.code.endswith(" is None") for one in facts):
        printed = on_output(candidate, trial)
        if printed is not candidate or not facts:
            return printed
    if not facts:
        return candidate
    source = candidate.function
    block = [one.code for one in facts]
    needs_gap = not ends_with_assert(source)
    source = text.append(source, (["", *block] if needs_gap else block))
    changed = with_changes(candidate, function=source, observe=())
    return add_imports(changed, tuple(i for one in facts for i in one.imports if i))


def _chosen(candidate: Candidate, trial: Trialed, *, only_named: bool) -> Iterator[Fact]:
    named = [one for one in candidate.observe if one in trial.facts]
    order = list(named)
    if not only_named:
        order += [one for one in _acted_on(candidate.function) if one not in named]
    left = MAX_ASSERTS
    weak: list[Fact] = []
    present = candidate.function
    for expression in order:
        facts = trial.facts.get(expression, ())
        given = _given(candidate.function).get(expression)
        for fact in _strongest(facts):
            if left == 0 or fact.code in present or fact.code == given:
                continue
            if fact.code.endswith(" is None"):
                weak.append(fact)
                continue
            left -= 1
            yield fact
    if left == MAX_ASSERTS:
        yield from weak[:1]


def every(candidate: Candidate, trial: Trialed) -> list[Fact]:
    """Return all that the trial showed and the test does not say yet, results first."""
    named = [one for one in candidate.observe if one in trial.facts]
    order = [*named, *(one for one in _acted_on(candidate.function) if one not in named)]
    given = _given(candidate.function)
    return [
        fact
        for expression in order
        for fact in trial.facts.get(expression, ())
        if fact.code not in candidate.function and fact.code != given.get(expression)
    ]


def telling(candidate: Candidate, trial: Trialed) -> str:
    """Return what a trial showed as one text; empty where it came to nothing (``[]``, None).

    Two inputs that show the same are likely to notice the same faults.
    """
    names = [one for one in _acted_on(candidate.function) if trial.facts.get(one)]
    if trial.raised is not None:
        return f"{trial.raised.type_name}: {trial.raised.text}"
    if not names or trial.facts[names[0]][0].code.endswith(_NOTHING):
        return ""
    return "\n".join(fact.code for one in names for fact in trial.facts[one])


def _strongest(facts: tuple[Fact, ...]) -> list[Fact]:
    values = [one for one in facts if one.strength == VALUE]
    if values:
        return values[:1]
    parts = [one for one in facts if one.strength == VALUE - 1]
    kinds = [one for one in facts if one.strength == 1]
    return [*kinds[:1], *parts[:3]]


def _acted_on(source: str) -> list[str]:
    """Return the test's local names, those that hold what a call gave before the given ones."""
    results: list[str] = []
    given: list[str] = []
    for one in reversed(text.statements(source)):
        results += [name for name in _changed(one.node) if name not in results]
        if not isinstance(one.node, ast.Assign) or len(one.node.targets) != 1:
            continue
        nodes = ast.walk(one.node.targets[0])
        targets = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        inside = list(ast.walk(one.node.value))
        called = any(isinstance(n, ast.Call | ast.Await) for n in inside)
        called |= any(isinstance(n, ast.Name) and n.id == "tmp_path" for n in inside)
        for name in targets:
            if name not in results and name not in given:
                (results if called else given).append(name)
    mutable = [name for name in given if name in _given(source)]
    return results + mutable


def _changed(node: ast.stmt) -> list[str]:
    """Return the names whose objects a statement changes: ``box["a"] = 1``, ``del box.size``."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    names = []
    for target in targets:
        place = target
        while isinstance(place, ast.Subscript | ast.Attribute):
            place = place.value
        if place is not target and isinstance(place, ast.Name) and place.id != "self":
            names.append(place.id)
    return names


def _given(source: str) -> dict[str, str]:
    """Return what an assertion on an untouched argument would say, by name."""
    found: dict[str, str] = {}
    for one in text.statements(source):
        node = one.node
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.List | ast.Dict | ast.Set)
        ):
            try:
                value = syntax.literal(node.value)
            except ValueError:
                continue
            from pytest_aipipe.explore.rebuild import source_of

            written = source_of(value)
            if written is not None:
                name = node.targets[0].id
                found[name] = f"assert {name} == {written.code}"
    return found


def ends_with_assert(source: str) -> bool:
    """Return whether the test's last statement is an assertion."""
    function = text.test_function(source)
    return function is not None and isinstance(function.body[-1], ast.Assert)


def has_assertion(source: str, *, warnings: bool = True) -> bool:
    """Return whether the test can fail for another reason than an unexpected error.

    What is the same whatever the code does counts for nothing: a constant, a thing compared
    with itself, or ``isinstance(x, object)``.
    Without ``warnings``, a block that expects one does not count.
    """
    for node in ast.walk(syntax.parse(source)):
        if isinstance(node, ast.Assert) and not _always_holds(node.test):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            last = name.rsplit(".", 1)[-1]
            if last in _WARNS and not warnings:
                continue
            if last in _WARNS or last == "raises" or ".assert" in f".{name}":
                return True
    return False


def _always_holds(test: ast.expr) -> bool:
    """Whether no fault of the code could make the assertion fail."""
    if isinstance(test, ast.Constant | ast.Lambda | ast.JoinedStr):
        return True
    if isinstance(test, ast.Tuple):
        return bool(test.elts)  # ``assert (x, "message")``
    if isinstance(test, ast.BoolOp):
        holds = [_always_holds(one) for one in test.values]
        return any(holds) if isinstance(test.op, ast.Or) else all(holds)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = test.left, test.comparators[0]
        same = isinstance(test.ops[0], ast.Eq | ast.Is) and ast.dump(left) == ast.dump(right)
        calls = any(isinstance(n, ast.Call | ast.Await) for n in ast.walk(left))
        constants = isinstance(left, ast.Constant) and isinstance(right, ast.Constant)
        return (same and not calls) or constants
    if isinstance(test, ast.Call) and ast.unparse(test.func) == "isinstance":
        return len(test.args) == 2 and ast.unparse(test.args[1]) == "object"  # noqa: PLR2004
    return False


def without_idle_result(candidate: Candidate) -> Candidate:
    """Return the candidate with ``result = f()`` written ``f()`` where nothing reads it."""
    function = text.test_function(candidate.function)
    if function is None:
        return candidate
    read = {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    for one in text.statements(candidate.function):
        node = one.node
        if (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id not in read
            and isinstance(node.value, ast.Call | ast.Await)
            and node.value.lineno == node.lineno
        ):
            lines = candidate.function.splitlines()
            head = lines[node.lineno - 1]
            lines[node.lineno - 1] = head[: node.col_offset] + head[node.value.col_offset :]
            return without_idle_result(with_changes(candidate, function="\n".join(lines) + "\n"))
    return candidate
