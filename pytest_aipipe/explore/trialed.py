"""What a trial showed, beyond the outcome that engines see: material for assertions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_aipipe.explore.fact import Fact
from pytest_aipipe.generate.model import Comparison, Outcome

if TYPE_CHECKING:
    from pytest_aipipe.explore.arcs import Translator
    from pytest_aipipe.explore.wire import Message


@dataclass(frozen=True, slots=True)
class Raised:
    """The exception that left the test, at the candidate's own ``line``.

    ``own`` where the candidate raised it itself, though the code may have passed it on.
    """

    when: str
    type_name: str
    statement: str | None  # the import; empty for a builtin, None where it has no import path
    expression: str
    text: str
    line: int | None
    at: tuple[str, int] | None
    failed: bool
    own: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """An assertion of the candidate that ran: ``facts`` say what it looked at, where it failed."""

    line: int
    held: bool
    operator: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Trialed:
    """One run of a candidate."""

    outcome: Outcome
    facts: dict[str, tuple[Fact, ...]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    raised: Raised | None = None
    warnings: tuple[tuple[str, str, str], ...] = ()
    stdout: str = ""
    stderr: str = ""
    residue: tuple[str, ...] = ()
    tests: int = 0


def read_answer(answer: Message, translator: Translator) -> Trialed:
    """Return the trial that the child's ``answer`` tells of."""
    raised = _raised(answer.get("raised"))
    lines, arcs = translator.reach(answer.get("arcs", {}))
    outcome = Outcome(
        status=answer.get("status", "crashed"),
        lines=lines,
        arcs=arcs,
        raised=f"{raised.type_name}: {raised.text}" if raised else None,
        raised_at=raised.at if raised else None,
        comparisons=tuple(Comparison(**one) for one in answer.get("comparisons", ())),
        seconds=float(answer.get("seconds", 0.0)),
        detail=answer.get("detail", ""),
        found=tuple(answer.get("found", ())),
        near=tuple(answer.get("near", ())),
        tries=int(answer.get("tries", 1)),
    )
    return Trialed(
        outcome=outcome,
        facts={name: _facts(found) for name, found in answer.get("facts", {}).items()},
        checks=tuple(
            Check(one["line"], one["held"], one["op"], _facts(one.get("facts", ())))
            for one in answer.get("checks", ())
        ),
        raised=raised,
        warnings=tuple((a, b, c) for a, b, c in answer.get("warnings", ())),
        stdout=answer.get("stdout", ""),
        stderr=answer.get("stderr", ""),
        residue=tuple(answer.get("residue", ())),
        tests=answer.get("tests", 0),
    )


def _facts(found: Any) -> tuple[Fact, ...]:
    return tuple(Fact(one["code"], tuple(one["imports"]), one["strength"]) for one in found)


def _raised(found: Message | None) -> Raised | None:
    if found is None:
        return None
    named = found["import"]
    at = found["at"]
    return Raised(
        when=found["when"],
        type_name=found["type"],
        statement=named[0] if named else None,
        expression=named[1] if named else found["type"],
        text=found["text"],
        line=found["line"],
        at=(at[0], at[1]) if at else None,
        failed=found["failed"],
        own=found.get("own", False),
    )
