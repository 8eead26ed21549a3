"""How the project's own tests are written, as far as new ones should follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_aipipe.write.originals import Originals
from pytest_aipipe.write.quotes import preferred

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.generate.request import Request

MOST_FILES = 60
QUOTED = 12


@dataclass(frozen=True, slots=True)
class House:
    """The quotes that the project writes, and its tests' module-level statements."""

    quote: str
    originals: Originals


def house_of(request: Request) -> House:
    """Return the house style of the project, read from its nearest tests."""
    paths = {test.source_path for test in request.tests}
    folders = {folder for path in paths for folder in path.parents}
    conftests = {one / "conftest.py" for one in folders if one.is_relative_to(request.root)}
    return _read(tuple(sorted(conftests | paths))[:MOST_FILES], tuple(request.sources.values()))


@lru_cache(maxsize=4)
def _read(paths: tuple[Path, ...], changed: tuple[str, ...]) -> House:
    texts = []
    for path in paths:
        try:
            texts.append(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
    return House(preferred([*texts[:QUOTED], *changed[:QUOTED]]), Originals(texts))
