"""What tells two runs of one test apart. Pure: runs go in, differences come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.repair import is_of_the_sandbox
from pytest_aipipe.compare.model import Difference, Kind, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.explore.fact import Fact
    from pytest_aipipe.explore.trialed import Check, Trialed

RaiseLines = Mapping[str, frozenset[int]]
"""By path, the lines of ``raise`` and ``assert`` statements."""

_ACCIDENTS = frozenset(
    {"TypeError", "AttributeError", "NameError", "UnboundLocalError", "RecursionError"}
)
_COMPARABLE = frozenset({"passed", "failed", "raised"})
_SHOWN = 300
_PRIVATE = re.compile(r"\._(?!_)|__dict__")
_MEDDLING = re.compile(r"^\s*(?!self\b)[\w.]+\._(?!_)\w+ = ", re.MULTILINE)
_ARGUMENT = re.compile(r"argument\b")  # see pytest_aipipe.compare.vary.HELD
_UNSEEN = "cannot be looked at"
_RANK = {kind: rank for rank, kind in enumerate(Kind)}
_NOISE = re.compile(
    r"0x[0-9a-fA-F]+|\b(?:9[3-9]|1[0-4]\d)\d{12}\b|(?<=line )\d+|(?<=\.py:)\d+"
    r"|/(?:tmp|private|var/folders)/[^\s'\":,]+"
)
"""Addresses (as ``id`` gives them, too), line numbers and temporary files differ for reasons of
their own."""
_DURATION = re.compile(r"\b\d+(\.\d+)?(e-\d+)? ?(s|ms|us|seconds)\b")
"""What errors and output say of time is no behaviour; a value that holds such a text may be."""


def in_one_tree(pair: Pair, base_root: str, head_root: str) -> Pair:
    """Return the pair with the base's run told as if it had been in the head's tree."""

    def moved(text: str) -> str:
        return text.replace(base_root, head_root)

    base = pair.base
    raised = base.raised
    told = replace(
        base,
        facts={
            moved(name): tuple(replace(fact, code=moved(fact.code)) for fact in facts)
            for name, facts in base.facts.items()
        },
        checks=tuple(
            replace(c, facts=tuple(replace(f, code=moved(f.code)) for f in c.facts))
            for c in base.checks
        ),
        raised=None if raised is None else replace(raised, text=moved(raised.text)),
        warnings=tuple((a, b, moved(text)) for a, b, text in base.warnings),
        stdout=moved(base.stdout),
        stderr=moved(base.stderr),
    )
    return Pair(told, pair.head)


def differences(
    pair: Pair, *, shift: int = 0, raises: tuple[RaiseLines, RaiseLines] = ({}, {})
) -> tuple[Difference, ...]:
    """Return what differs, the plainest first; empty where the two cannot be compared.

    A run that pytest could not set up, that was skipped or that died says nothing of the
    code, and where the base does not come to an end there is nothing to state of it.
    ``shift`` is how much longer the path of the base's tree is than that of the head's;
    ``raises`` are the lines of both sides' sources that raise on purpose.
    """
    if pair.base.outcome.status not in _COMPARABLE:
        return ()
    if pair.head.outcome.status == "timeout":
        shown = _ending(pair.base) or "comes to an end"
        return (Difference(Kind.END, "", shown, "does not come to an end"),)
    if pair.head.outcome.status not in _COMPARABLE:
        return ()
    if any(t.raised and is_of_the_sandbox(t.raised.text) for t in (pair.base, pair.head)):
        return ()  # what the code would have written is not known
    found = [*_errors(pair, raises), *_values(pair, shift), *_warnings(pair), *_output(pair)]
    return tuple(sorted(dict.fromkeys(found), key=lambda d: (d.weak, _RANK[d.kind])))


def _errors(pair: Pair, raises: tuple[RaiseLines, RaiseLines]) -> Iterator[Difference]:
    base, head = _ending(pair.base), _ending(pair.head)
    if _timeless(base) == _timeless(head):
        return
    if pair.base.raised is not None and pair.base.raised.at is None:
        return  # the test's own mistake, a call that does not fit: it says nothing of the code
    misused = [_is_accident(t, r) for t, r in zip((pair.base, pair.head), raises, strict=True)]
    if all(misused):
        return  # called wrongly, the code fails somewhere: where is nobody's concern
    yield Difference(Kind.ERROR, "", base or "no error", head or "no error", misused[0])


def _is_accident(trial: Trialed, raises: RaiseLines) -> bool:
    """Return whether the run ended in an error that no statement of the code raises."""
    raised = trial.raised
    if raised is None or raised.type_name not in {*_ACCIDENTS, "AssertionError"}:
        return False
    if raised.type_name == "AssertionError":
        return raised.at is not None  # what the code asserts of its own use
    path, line = raised.at or ("", 0)
    return line not in raises.get(path, frozenset())


def _ending(trial: Trialed) -> str:
    """Return the error that left the test, or nothing."""
    raised = trial.raised
    if raised is None:
        return ""
    return f"{raised.type_name}: {raised.text}"[:_SHOWN].rstrip(": ")


def _values(pair: Pair, shift: int) -> Iterator[Difference]:
    ended = pair.base.raised is None and pair.head.raised is None
    for expression, facts in pair.base.facts.items():
        other = pair.head.facts.get(expression)
        if not facts or (other is None and not ended):
            continue
        if not other:
            # An error that a look at it brings out; the test that looks will tell.
            yield Difference(Kind.VALUE, expression, _value_of(facts[0].code), _UNSEEN)
        elif not _shifted(facts, other, shift):
            yield from _facts(expression, facts, other)
    yield from _checks(pair)


def _shifted(base: tuple[Fact, ...], head: tuple[Fact, ...], shift: int) -> bool:
    """Return whether a text is only longer by as much as the path of its tree is."""
    sizes = [re.match(r"assert len\(.*\) == (\d+)$", facts[0].code) for facts in (base, head)]
    if sizes[0] is None or sizes[1] is None:
        return False
    return shift != 0 and (int(sizes[0][1]) - int(sizes[1][1])) % shift == 0


def _checks(pair: Pair) -> Iterator[Difference]:
    """Compare the assertions that ran on both sides, in their order."""
    for base, head in zip(pair.base.checks, pair.head.checks, strict=False):
        if base.line != head.line:
            return
        if base.held != head.held or _codes(base.facts) != _codes(head.facts):
            shown = [_check_shown(check) for check in (base, head)]
            if _quiet(shown[0]) != _quiet(shown[1]):
                yield Difference(Kind.VALUE, f"line {base.line}", shown[0], shown[1])


def _check_shown(check: Check) -> str:
    if check.held:
        return "the assertion holds"
    return _value_of(check.facts[0].code) if check.facts else "the assertion does not hold"


def _facts(expression: str, base: tuple[Fact, ...], head: tuple[Fact, ...]) -> Iterator[Difference]:
    if _codes(base) == _codes(head):
        return
    only_base = [f for f in base if f.code not in _codes(head)]
    only_head = [f for f in head if f.code not in _codes(base)]
    if not only_base:
        return
    shown = [_value_of(facts[0].code) if facts else "" for facts in (only_base, only_head)]
    if _quiet(shown[0]) == _quiet(shown[1]):
        return
    kind = Kind.TYPE if "isinstance(" in only_base[0].code else Kind.VALUE
    kind = Kind.ARGUMENT if _ARGUMENT.match(expression) else kind
    after = shown[1] or _value_of(head[0].code)
    yield Difference(kind, expression, shown[0], after, bool(_PRIVATE.search(expression)))


def _codes(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    return tuple(fact.code for fact in facts)


def _value_of(code: str) -> str:
    """Return the value that an assertion states: what stands right of ``==`` or ``is``."""
    text = code.removeprefix("assert ")
    for operator in (" == ", " is "):
        _, found, value = text.partition(operator)
        if found:
            return value[:_SHOWN]
    return text[:_SHOWN]


def _warnings(pair: Pair) -> Iterator[Difference]:
    base, head = (_warned(trial) for trial in (pair.base, pair.head))
    if [_quiet(one) for one in base] != [_quiet(one) for one in head]:
        shown = ["; ".join(one)[:_SHOWN] or "no warning" for one in (base, head)]
        yield Difference(Kind.WARNING, "", shown[0], shown[1])


def _warned(trial: Trialed) -> list[str]:
    """Return the warnings that the code gave, without those of pytest itself."""
    return sorted(
        f"{name}: {text}"
        for module, name, text in trial.warnings
        if not module.startswith(("pytest", "_pytest")) and name != "ResourceWarning"
    )


def _output(pair: Pair) -> Iterator[Difference]:
    for name in ("stdout", "stderr"):
        base, head = getattr(pair.base, name), getattr(pair.head, name)
        if _timeless(base) != _timeless(head):
            yield Difference(Kind.OUTPUT, name, base[:_SHOWN], head[:_SHOWN])


def _quiet(text: str) -> str:
    """Return ``text`` without what differs from run to run or from tree to tree."""
    return _NOISE.sub("…", text)


def _timeless(text: str) -> str:
    return _DURATION.sub("…", _quiet(text))


def meddles(function: str) -> bool:
    """Return whether a test sets a private attribute: what then happens nobody relies on."""
    return bool(_MEDDLING.search(function))


def seen_again(
    first: tuple[Difference, ...], second: tuple[Difference, ...]
) -> tuple[Difference, ...]:
    """Return those of the first sighting that the second one of the same candidate has as well."""
    again = {(d.kind, d.where, _quiet(d.base), _quiet(d.head)) for d in second}
    return tuple(d for d in first if (d.kind, d.where, _quiet(d.base), _quiet(d.head)) in again)
