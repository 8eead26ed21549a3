"""A mend that is proposed: files with their new text, and what was done in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_aipipe.flaky.finding import Finding


@dataclass(frozen=True, slots=True)
class Proposal:
    """``texts`` are new texts by path in the project. ``allowed`` names what the assertions
    may change by: ``sorted``, ``approx``, ``place`` (a constant became a variable)."""

    words: str
    texts: Mapping[str, str]
    allowed: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a mend is made: ``top`` is the copy of the project, ``uses`` the libraries that
    the project already tests with (``freezegun``, ``time_machine``, ``numpy``)."""

    top: Path
    rootdir: Path
    uses: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)  # module attribute -> kind of path

    def path_of(self, nodeid: str) -> str:
        """Return the path, from the project's top, of the file that holds ``nodeid``."""
        file = self.rootdir / nodeid.partition("::")[0]
        return file.relative_to(self.top).as_posix()

    def read(self, path: str) -> str:
        """Return the text of a file of the project."""
        return (self.top / path).read_text("utf-8")


def names_of(nodeid: str) -> list[str]:
    """Return the class and function names of ``nodeid``, without parameters."""
    return [part.partition("[")[0] for part in nodeid.split("::")[1:]]


class Mender(Protocol):
    """Proposes mends for one cause, the best first."""

    def __call__(self, finding: Finding, scene: Scene) -> Iterator[Proposal]:
        """Yield proposals; none where none is known."""
