"""Mends of impatience: wait for the condition itself instead of sleeping for so long."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.flaky.mend.compare import in_any_order
from pytest_aipipe.flaky.mend.ports import _function
from pytest_aipipe.flaky.mend.proposal import Proposal, names_of
from pytest_aipipe.flaky.mend.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.mend.proposal import Scene

PATIENCE = 30
WAITING = ("wait", "join", "get", "result", "wait_for", "acquire", "settimeout", "poll")
THREADS = ("Thread", "Timer", "Process")
TASKS = ("ensure_future", "create_task", "run_coroutine_threadsafe", "submit")


def wait(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Poll for what is asserted next, await what was started, or allow more time."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    text = scene.read(path)
    function = _function(text, names)
    if function is None:
        return
    for words, made in _sleeps(text, function):
        yield Proposal(words, {path: made})
    patient = _patient(text, function)
    if patient != text:
        yield Proposal(f"waits for up to {PATIENCE} s for what should happen at once",
                       {path: patient}, frozenset({"place", "time"}))  # fmt: skip


def wait_sorted(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Wait for lists instead of sleeping, and compare them without an order.

    Nothing promises in which order threads end. A list that was not full yet when it was compared
    does not show that; waiting alone has to fail first.
    """
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    compared = finding.failure.compare if finding.failure else {}
    if not set(compared.get("types", ("other",))) <= {"list", "tuple"}:
        return
    for proposal in in_any_order(finding, scene):
        text = proposal.texts[path]
        function = _function(text, names)
        if function is None:
            continue
        for words, made in _sleeps(text, function):
            yield Proposal(f"{proposal.words}, and {words}", {path: made}, proposal.allowed)


def _sleeps(text: str, function: ast.AST) -> Iterator[tuple[str, str]]:
    for block in _blocks(function):
        for index, node in enumerate(block[:-1]):
            awaited = _slept(node)
            if awaited is None:
                continue
            started = _started(block[:index])
            if awaited and started:
                code = f"await asyncio.wait([{', '.join(started)}])"
                yield "awaits the tasks instead of sleeping", _replaced(text, node, [code])
            joins = _joins(block[:index])
            if not awaited and joins:
                yield "joins the threads instead of sleeping", _replaced(text, node, joins)
            condition = _condition(block[:index], block[index + 1])
            if condition:
                made = _replaced(text, node, _loop(condition, awaited=awaited))
                yield (
                    f"waits until {condition} instead of sleeping",
                    Source.of(made).with_import("time").text,
                )


def _blocks(function: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _slept(node: ast.stmt) -> bool | None:
    """Return whether a sleep is awaited; None for what is no sleep."""
    if not isinstance(node, ast.Expr):
        return None
    awaited = isinstance(node.value, ast.Await)
    call = node.value.value if isinstance(node.value, ast.Await) else node.value
    if not isinstance(call, ast.Call):
        return None
    return awaited if ast.unparse(call.func).rpartition(".")[2] == "sleep" else None


def _started(block: list[ast.stmt]) -> list[str]:
    return _assigned(block, TASKS)


def _joins(block: list[ast.stmt]) -> list[str]:
    """Return what joins the threads that the block keeps: one a name, or all of a list."""
    lines = [f"{name}.join()" for name in _assigned(block, THREADS)]
    for node in block:
        match node:
            case ast.Assign([ast.Name(name)], ast.ListComp(ast.Call() as made)):
                lines += [f"for one in {name}:", "    one.join()"] * _calls(made, THREADS)
    return lines


def _assigned(block: list[ast.stmt], calls: tuple[str, ...]) -> list[str]:
    names = []
    for node in block:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            if isinstance(target, ast.Name) and _calls(node.value, calls):
                names.append(target.id)
    return names


def _calls(call: ast.Call, names: tuple[str, ...]) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] in names


def _condition(before: list[ast.stmt], following: ast.stmt) -> str:
    """Return what should be true after the sleep: the next assertion, or a list that fills."""
    if isinstance(following, ast.Assert):
        return ast.unparse(following.test)
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Call):
        call = following.value
        name = getattr(call.func, "attr", "")
        if name == "assertEqual" and len(call.args) >= 2:  # noqa: PLR2004
            return f"{ast.unparse(call.args[0])} == {ast.unparse(call.args[1])}"
        if name == "assertTrue" and call.args:
            return ast.unparse(call.args[0])
    empty = {
        node.targets[0].id
        for node in before
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.List | ast.Dict | ast.Set)
        and not getattr(node.value, "elts", getattr(node.value, "keys", ()))
    }  # fmt: skip
    used = {node.id for node in ast.walk(following) if isinstance(node, ast.Name)}
    both = sorted(empty & used)
    return both[0] if both else ""


def _loop(condition: str, *, awaited: bool) -> list[str]:
    pause = "await asyncio.sleep(0.01)" if awaited else "time.sleep(0.01)"
    return [
        f"deadline = time.monotonic() + {PATIENCE}",
        f"while not ({condition}) and time.monotonic() < deadline:",
        f"    {pause}",
    ]


def _replaced(text: str, node: ast.stmt, code: list[str]) -> str:
    lines = text.splitlines(keepends=True)
    indent = " " * node.col_offset
    new = [f"{indent}{line}\n" for line in code]
    lines[node.lineno - 1 : node.end_lineno] = new
    return "".join(lines)


def _patient(text: str, function: ast.AST) -> str:
    """Return the text with short time limits of waiting calls made long."""
    spots: list[ast.Constant] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        words = [word.value for word in node.keywords if word.arg == "timeout"]
        if name in WAITING:
            words += node.args[-1:]
        spots += [
            word
            for word in words
            if isinstance(word, ast.Constant) and isinstance(word.value, int | float)
            and not isinstance(word.value, bool) and 0 < word.value < PATIENCE
        ]  # fmt: skip
    lines = text.splitlines(keepends=True)
    for node in sorted(spots, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        row = lines[node.lineno - 1]
        lines[node.lineno - 1] = row[: node.col_offset] + str(PATIENCE) + row[node.end_col_offset :]
    return "".join(lines)
