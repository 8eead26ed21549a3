"""What a change asks of tests: to have run some points, to be made of something, to load a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_aipipe.select.index import Key
    from pytest_aipipe.select.parts import Points


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
    ``whole`` files that whoever can load them notices; ``everything`` why all tests do.
    ``wider`` says that more differs than statements of functions, whatever it asks for.
    """

    clauses: list[Clause] = field(default_factory=list)
    parts: dict[tuple[str, str], str] = field(default_factory=dict)
    fixtures: dict[tuple[str, str], str] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    everything: str = ""
    wider: bool = False

    @property
    def is_inside(self) -> bool:
        """Whether only statements of functions differ, and nothing is made of them at import.

        Then what a process ran that began with nothing shows whether it notices.
        """
        return not (self.wider or self.parts or self.fixtures or self.whole or self.everything)
