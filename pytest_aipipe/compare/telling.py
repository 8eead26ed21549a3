"""A caught difference as it is told: its names, its file, whether the change announces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.change import Kind as FileKind
from pytest_aipipe.compare.announce import Said, announced, prose_of, test_names
from pytest_aipipe.compare.catching import describes, shown_input
from pytest_aipipe.compare.files import (
    CATCHING_HEADER,
    FOLDER,
    comment,
    file_name,
    module_text,
    named,
)
from pytest_aipipe.compare.model import BehaviorChange
from pytest_aipipe.compare.places import MODULE

if TYPE_CHECKING:
    from aipipe_core.change.model import Change
    from pytest_aipipe.compare.catching import Caught
    from pytest_aipipe.compare.model import Place
    from pytest_aipipe.generate.request import Request
    from pytest_aipipe.write.formatter import Formatter


def behavior_change(
    place: Place,
    caught: Caught,
    number: int,
    request: Request,
    change: Change,
    formatter: Formatter,
) -> BehaviorChange:
    """Return what is told of ``caught``; ``number`` makes its file's name its own."""
    difference = caught.difference
    symbol = place.module if place.symbol == MODULE else place.symbol
    name = f"{symbol.rpartition('.')[2].strip('_')}_{describes(difference)}"
    candidate = named(caught.candidate, f"test_{name}", request.naming)
    stem = f"{place.module.rpartition('.')[2].strip('_')}_{name}_{number}"
    file = file_name(stem, request.naming)
    shown = f"{symbol}: {_line(difference.base)} on the base, {_line(difference.head)} now."
    text = module_text(candidate, CATCHING_HEADER + comment(shown))
    verdict, reason = announced(difference, place, said(change, place))
    return BehaviorChange(
        symbol=f"{place.module}.{place.symbol}".removesuffix(f".{MODULE}"),
        path=place.path,
        kind=difference.kind,
        input=shown_input(caught.candidate),
        base=difference.base,
        head=difference.head,
        file_name=file,
        test_name=candidate.name,
        test=formatter.format(text, request.target / FOLDER / file),
        hunk=place.hunks[0] if place.hunks else None,
        announced=verdict,
        reason=reason,
        weak=difference.weak,
    )


def said(change: Change, place: Place) -> Said:
    """Return what the change says of itself, as far as it concerns ``place``."""
    tests = [f for f in change.files if FileKind.TESTS in f.kinds]
    docs = [f for f in change.files if FileKind.DOCS in f.kinds]
    added = [line for f in tests for hunk in f.hunks for line in hunk.added]
    prose = [line for f in docs for hunk in f.hunks for line in hunk.added]
    return Said(change.message, test_names(added), (*prose_of(place.hunks), *prose))


def _line(text: str) -> str:
    return " ".join(text.split())[:100]
