"""A mend that is proposed: files with their new text, and what was done in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_aipipe.flaky.finding import Finding


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mend to be tried.

    ``texts`` are new texts by path in the project; ``allowed`` names what the assertions may
    change by, see :func:`pytest_aipipe.flaky.mend.guard.weakened`.
    """

    words: str
    texts: Mapping[str, str]
    allowed: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a mend is made.

    ``top`` is the copy of the project, ``origin`` the project; ``uses`` names the libraries
    that it already tests with.
    """

    top: Path
    rootdir: Path
    origin: Path
    uses: frozenset[str] = frozenset()
    seeds: tuple[int, ...] = (1, 2, 3)
    paths: Mapping[str, str] = field(default_factory=dict)  # module attribute -> kind of path

    def path_of(self, nodeid: str) -> str:
        """Return the path, from the project's top, of the file that holds ``nodeid``."""
        file = self.rootdir / nodeid.partition("::")[0]
        return file.relative_to(self.top).as_posix()

    def original(self, path: str) -> str:
        """Return the text that a file had when the tests ran."""
        return (self.origin / path).read_text("utf-8")

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
