"""What a change asks of tests: to have run some points, to be made of something, to load a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_aipipe.select.index import Key
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.tables import Rows


@dataclass(slots=True)
class Clause:
    """Tests that ran a point of each of ``wanted``, by version of file; ``why`` in words.

    Points of None stand for anything in that file. ``itself`` leaves out what modules ran when
    they were imported.
    """

    why: str
    wanted: list[dict[Key, Points | None]]
    itself: bool = False


@dataclass(slots=True)
class Demand:
    """Which tests notice a change.

    ``parts`` are (file, function or class) in a test's own name, ``fixtures`` (file, name);
    ``tables`` what differs in the rows of a test, by (file, function);
    ``whole`` files that whoever can load them notices; ``everything`` why all tests do.
    ``named`` are files of which more differs than statements of functions, and clauses say
    what; ``wider`` says that still more differs, whatever it asks for.
    """

    clauses: list[Clause] = field(default_factory=list)
    parts: dict[tuple[str, str], str] = field(default_factory=dict)
    fixtures: dict[tuple[str, str], str] = field(default_factory=dict)
    tables: dict[tuple[str, str], list[Rows]] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    everything: str = ""
    named: set[str] = field(default_factory=set)
    wider: bool = False

    def doubtful(self, loaded: Collection[str], tests: Collection[str]) -> frozenset[str] | None:
        """Return files of which a process that began with nothing must not have run anything.

        Where it did not, what it ran shows whether it notices the change. None where that
        never shows it. A file that this process has ``loaded`` as well may have other names:
        were they to end its import, the tests here would end too. What a runner of tests
        makes of ``tests`` and of fixtures, no line shows.
        """
        if self.wider or self.whole or self.everything:
            return None
        run = {path for path, _ in self.parts if path in tests}
        run |= {path for path, _ in (*self.fixtures, *self.tables)}
        return frozenset(run | (self.named - set(loaded)))
