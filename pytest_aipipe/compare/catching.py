"""From a sighting to a test that states the base's behaviour: passes there, fails on head."""

from __future__ import annotations

import ast
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions import text
from pytest_aipipe.assertions.observe import has_assertion, with_result
from pytest_aipipe.assertions.repair import add_imports, repaired
from pytest_aipipe.compare.model import Difference, Kind, Pair
from pytest_aipipe.explore.fact import is_stable_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.compare.arenas import Arenas
    from pytest_aipipe.explore.fact import Fact
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate

_REPAIRS = 5
_MOST_FACTS = 2
_STATEMENTS = 40
_LONG = 400
_LIMIT = 0.5
"""Seconds of computing, which a busy machine does not make longer."""
_FAILING = frozenset({"failed", "raised"})

TIME_LIMIT = '''\
@contextlib.contextmanager
def time_limit(seconds):
    """Raise TimeoutError in the block when it computes for longer."""

    def expire(signum, frame):
        raise TimeoutError(f"does not come to an end within {seconds} s")

    before = signal.signal(signal.SIGVTALRM, expire)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
'''


@dataclass(frozen=True, slots=True)
class Caught:
    """A test that tells the sides apart, and how they differed when it was made."""

    candidate: Candidate
    difference: Difference


def catches(pair: Pair) -> bool:
    """Return whether a test passed on the base and failed, in its own code, on head."""
    return pair.base.outcome.status == "passed" and pair.head.outcome.status in _FAILING


def catch(
    candidate: Candidate, seen: Difference, arenas: Arenas, *, deadline: float
) -> Caught | None:
    """Return a small test that states what the base does, or None where none holds."""
    held = _hold(with_result(candidate), arenas) or _hold(candidate, arenas)
    if held is None:
        return None
    for attempt in (_as_it_is, _with_facts, _with_limit, _with_warning, _with_output):
        made = attempt(held, arenas)
        if made is None:
            continue
        (pair,) = arenas.run([made])
        if catches(pair):
            small = _asserting(_smaller(made, arenas, deadline), arenas)
            return Caught(small, _told(small, seen, arenas))
    return None


def _told(candidate: Candidate, seen: Difference, arenas: Arenas) -> Difference:
    """Return how the sides differ in the end: the smaller test may show another side of it."""
    expected = _expected_error(candidate)
    (trial,) = arenas.on(1, [candidate])
    raised = trial.raised
    if seen.kind is Kind.END or raised is None or raised.failed:
        did_not = raised is not None and "DID NOT RAISE" in raised.text
        if expected and did_not:
            return Difference(Kind.ERROR, "", expected, "no error", seen.weak)
        return seen
    shown = f"{raised.type_name}: {raised.text}"[:300]
    return Difference(Kind.ERROR, "", expected or "no error", shown, seen.weak)


def _expected_error(candidate: Candidate) -> str:
    """Return the error that the test expects, with the message where it asks for one."""
    for node in ast.walk(syntax.parse(candidate.function)):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(".raises"):
            continue
        name = ast.unparse(node.args[0]) if node.args else ""
        words = next((matched(k.value) for k in node.keywords if k.arg == "match"), "")
        return f"{name}: {words}" if words else name
    return ""


def matched(pattern: ast.expr) -> str:
    """Return the text that a test's ``match=`` was made of."""
    for node in ast.walk(pattern):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.escape":
            (escaped, *_) = node.args
            return str(escaped.value) if isinstance(escaped, ast.Constant) else ""
    if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str):
        text = pattern.value.removeprefix("^")
        text = text[:-1] if text.endswith("$") and not text.endswith("\\$") else text
        return re.sub(r"\\(\W)", r"\1", text)
    return ""


def _hold(candidate: Candidate, arenas: Arenas) -> Candidate | None:
    """Return the candidate with the base's behaviour expected throughout."""
    for _ in range(_REPAIRS):
        (trial,) = arenas.on(0, [candidate])
        if trial.outcome.status == "passed":
            return candidate
        fixed = repaired(candidate, trial)
        if fixed is None or fixed.function == candidate.function:
            return None
        candidate = fixed
    return None


def _as_it_is(candidate: Candidate, arenas: Arenas) -> Candidate | None:
    del arenas
    return candidate


def _with_facts(candidate: Candidate, arenas: Arenas) -> Candidate | None:
    """Assert what the base shows at the end and the head does not."""
    (pair,) = arenas.run([candidate])
    (again,) = arenas.on(0, [candidate])
    facts: list[Fact] = []
    for expression, found in pair.base.facts.items():
        other = pair.head.facts.get(expression, ())
        codes = {fact.code for fact in other}
        stable = {fact.code for fact in again.facts.get(expression, ())}
        facts += [f for f in found if f.code not in codes and f.code in stable][:1]
    chosen = sorted(facts, key=lambda f: -f.strength)[:_MOST_FACTS]
    if not chosen:
        return None
    return _appended(candidate, chosen)


def _appended(candidate: Candidate, facts: Sequence[Fact]) -> Candidate:
    source = text.append(candidate.function, [fact.code for fact in facts])
    changed = replace(candidate, function=source)
    return add_imports(changed, tuple(i for fact in facts for i in fact.imports if i))


def _with_limit(candidate: Candidate, arenas: Arenas) -> Candidate | None:
    """Give the test a time limit, where the head does not come to an end."""
    (trial,) = arenas.on(1, [candidate])
    if trial.outcome.status != "timeout":
        return None
    wrapped = _wrapped(candidate.function, f"with time_limit({_LIMIT}):")
    if wrapped is None:
        return None
    changed = add_imports(candidate, ("import contextlib", "import signal"))
    imports = [p for p in changed.prelude if p.startswith(("import ", "from "))]
    rest = [p for p in changed.prelude if p not in imports]
    return replace(changed, function=wrapped, prelude=(*imports, TIME_LIMIT.rstrip(), *rest))


def _with_warning(candidate: Candidate, arenas: Arenas) -> Candidate | None:
    """Expect the base's warning, or none where the base gives none."""
    (pair,) = arenas.run([candidate])
    base, head = pair.base.warnings, pair.head.warnings
    if base == head:
        return None
    gone = [one for one in base if one not in head]
    if gone:
        module, name, _ = gone[0]
        header = f"with pytest.warns({name}):"
        imports = ["import pytest"]
        if module != "builtins":
            imports.append(f"from {module} import {name.split('.')[0]}")
    else:
        header = "with warnings.catch_warnings():"
        imports = ["import warnings"]
    wrapped = _wrapped(candidate.function, header, first="" if gone else _STRICT)
    if wrapped is None:
        return None
    return add_imports(replace(candidate, function=wrapped), tuple(imports))


_STRICT = 'warnings.simplefilter("error")'


def _wrapped(source: str, header: str, first: str = "") -> str | None:
    """Return the test with its whole body in a block."""
    function = text.test_function(source)
    if function is None:
        return None
    indent = text.indent_of(source, function.body[0].lineno)
    start = function.body[0].lineno
    end = function.body[-1].end_lineno or function.body[-1].lineno
    lines = source.splitlines()[start - 1 : end]
    block = [f"{indent}{header}"]
    block += [f"{indent}    {first}"] if first else []
    block += [f"    {line}" if line.strip() else line for line in lines]
    wrapped = text.replace(source, start, end, "\n".join(block))
    return wrapped if text.test_function(wrapped) else None


def _with_output(candidate: Candidate, arenas: Arenas) -> Candidate | None:
    """Assert what the base printed."""
    (pair,) = arenas.run([candidate])
    for attribute, stream in (("out", "stdout"), ("err", "stderr")):
        printed = getattr(pair.base, stream)
        if printed == getattr(pair.head, stream):
            continue
        if "capsys" in candidate.function:
            source: str | None = candidate.function
        else:
            source = text.add_argument(candidate.function, "capsys")
        fact = _printed(printed, getattr(pair.head, stream), f"capsys.readouterr().{attribute}")
        if source is None or fact is None or "TestCase" in source:
            continue
        return replace(candidate, function=text.append(source, [fact]))
    return None


def _printed(base: str, head: str, expression: str) -> str | None:
    """Return an assertion on what only the base printed: the whole, or one stable line."""
    if len(base) < _LONG and is_stable_text(base) and "/" not in base:
        return f"assert {expression} == {base!r}"
    others = head.splitlines()
    for line in base.splitlines():
        if line.strip() and line not in others and is_stable_text(line) and len(line) < _LONG:
            return f"assert {line!r} in {expression}"
    return None


def _smaller(candidate: Candidate, arenas: Arenas, deadline: float) -> Candidate:
    """Return the test without the statements, rows and literals that it does not need."""
    slow = "time_limit(" in candidate.function  # each run of it takes the whole limit
    while time.monotonic() < deadline:
        options = list(_shorter(candidate))[: 4 if slow else _STATEMENTS]
        pairs = _run(arenas, options)
        works = [o for o, pair in zip(options, pairs, strict=True) if catches(pair)]
        if not works:
            return candidate
        candidate = min(works, key=lambda one: len(one.function))
    return candidate


def _run(arenas: Arenas, options: Sequence[Candidate]) -> list[Pair]:
    return arenas.run(options) if options else []


def _shorter(candidate: Candidate) -> list[Candidate]:
    found = []
    statements = text.statements(candidate.function)
    for count in (8, 4, 2, 1):
        for start in range(len(statements) - count, -1, -count):
            if count > 1 and len(statements) < 2 * count:
                continue
            source = text.delete(candidate.function, statements[start : start + count])
            if source is not None and source != candidate.function:
                found.append(replace(candidate, function=source))
    unique = {one.function: one for one in found}
    return list(unique.values())


def _asserting(candidate: Candidate, arenas: Arenas) -> Candidate:
    """Return the test with an assertion, where it only showed that head raises."""
    if has_assertion(candidate.function):
        return candidate
    looking = with_result(candidate)
    trials = [arenas.on(0, [looking])[0] for _ in range(2)]
    facts = _stable_facts(trials)
    for fact in facts:
        asserted = _appended(looking, [fact])
        (pair,) = arenas.run([asserted])
        if catches(pair):
            return asserted
    return candidate


def _stable_facts(trials: Sequence[Trialed]) -> list[Fact]:
    first, second = trials
    return [
        found[0]
        for expression, found in sorted(first.facts.items(), key=lambda item: item[0] != "result")
        if found and found == second.facts.get(expression)
    ]


def shown_input(candidate: Candidate) -> str:
    """Return the statements that act, without those that only assert."""
    function = text.test_function(candidate.function)
    if function is None:
        return candidate.name
    parts = []
    for node in function.body:
        inner = node.body if isinstance(node, ast.With) else [node]
        parts += [ast.unparse(one) for one in inner if not isinstance(one, ast.Assert)]
    return "; ".join(parts)[:400] or candidate.name


def describes(difference: Difference) -> str:
    """Return words for a test's name: what of the base is stated."""
    if difference.kind is Kind.ERROR:
        error = difference.base.split(":", 1)[0]
        return "raises_nothing" if error == "no error" else f"raises_{_words(error)}"
    return {
        Kind.END: "comes_to_an_end",
        Kind.TYPE: "gives_the_same_type",
        Kind.VALUE: "gives_the_same_value",
        Kind.ARGUMENT: "leaves_its_arguments_the_same",
        Kind.WARNING: "warns_as_before",
        Kind.OUTPUT: "prints_the_same",
    }[difference.kind]


def _words(name: str) -> str:
    spaced = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return spaced.strip("_").replace("__", "_").replace(".", "_")
