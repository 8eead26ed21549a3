"""The sandbox around every process that runs a candidate."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.sandbox import Limits, Sandbox, choose, policy_for
from pytest_aipipe.explore.process import KEPT, Started, our_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_aipipe.generate.request import Request

SLACK = 120.0
PROCESSES = 200


class Launcher:
    """Starts commands in the chosen sandbox: read-only tree, no network, no keys, limits."""

    def __init__(self, request: Request, sandbox: Sandbox) -> None:
        self.request = request
        self.sandbox = sandbox
        self.private = Path(tempfile.mkdtemp(prefix="aipipe-")).resolve()

    def start(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> Started:
        """Return the command as it is to be started."""
        request = self.request
        policy = policy_for(
            self.private,
            {**request.environ, **env},
            readable=(
                request.root,
                request.rootdir,
                our_folder(),
                *[Path(one) for one in request.python_path],
                *sorted({test.source_path.parent for test in request.tests}),
            ),
            keep=KEPT,
            limits=Limits(seconds=request.budget + SLACK, processes=PROCESSES),
        )
        command = self.sandbox.wrap(argv, policy, cwd)
        return command.argv, command.env

    def close(self) -> None:
        """Throw the private folder away."""
        shutil.rmtree(self.private, ignore_errors=True)


def launcher(request: Request, note: Callable[[str], None]) -> Launcher:
    """Return the launcher for ``request.sandbox``; what was chosen is noted.

    Raises :class:`aipipe_core.errors.SurroundingsError` where a sandbox is required and
    none works.
    """
    mode = request.sandbox
    sandbox = choose(mode if mode in {"require", "off"} else "auto")  # type: ignore[arg-type]
    note(f"Generated code ran in this sandbox: {sandbox.name}.")
    return Launcher(request, sandbox)
