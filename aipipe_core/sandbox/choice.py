"""Which sandbox this machine can really make: proven by running in it."""

from __future__ import annotations

import functools
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_core.sandbox.bubblewrap import Bubblewrap
from aipipe_core.sandbox.command import run
from aipipe_core.sandbox.guard import Guard, Unconfined
from aipipe_core.sandbox.landlock import FULL, LandlockSandbox
from aipipe_core.sandbox.policy import Limits, Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_core.sandbox.command import Command

Mode = Literal["auto", "require", "off"]


class Sandbox(Protocol):
    """Turns a command into an isolated one."""

    @property
    def name(self) -> str:
        """What to call it in a report."""

    @property
    def isolated(self) -> bool:
        """Whether the kernel enforces it; a guard within the program does not count."""

    def wrap(self, argv: Sequence[str], policy: Policy, cwd: Path) -> Command:
        """Return the command that runs ``argv`` in ``cwd`` under ``policy``."""


def choose(mode: Mode = "auto") -> Sandbox:
    """Return the strongest sandbox that works here; the trials run once a process.

    ``require`` raises ``SurroundingsError`` (``sandbox-unavailable``) where only the guard
    would be left; ``off`` keeps the limits and the scrubbed environment and no more.
    """
    if mode == "off":
        return Unconfined()
    if mode not in {"auto", "require"}:
        raise RequestError(
            "sandbox-mode", f"Unknown sandbox mode {mode!r}", hint="Use auto, require or off."
        )
    sandbox, reasons = _strongest()
    if mode == "require" and not sandbox.isolated:
        raise SurroundingsError(
            "sandbox-unavailable",
            "No sandbox works here: " + "; ".join(reasons),
            hint="Install bubblewrap, or permit user namespaces or Landlock, "
            "or allow the weaker guard with --ai-sandbox=auto.",
        )
    return sandbox


def candidates() -> list[Sandbox]:
    """Return every kernel-made sandbox that could work here, strongest first."""
    if sys.platform != "linux":
        return []
    wraps: list[Sandbox] = [Bubblewrap(), Bubblewrap(own_user=False)]
    # Containers often forbid a /proc of one's own, and so a usable pid namespace.
    fewer = tuple(name for name in FULL if name != "pid")
    landlocks: list[Sandbox] = [LandlockSandbox(FULL), LandlockSandbox(fewer), LandlockSandbox(())]
    return [*(wraps if shutil.which("bwrap") else []), *landlocks]


@functools.cache
def _strongest() -> tuple[Sandbox, tuple[str, ...]]:
    reasons: list[str] = []
    for sandbox in candidates():
        why_not = trial(sandbox)
        if not why_not:
            return sandbox, tuple(reasons)
        reasons.append(f"{sandbox.name}: {why_not}")
    if not reasons:
        reasons.append(f"none is known for {sys.platform}")
    return Guard(), tuple(reasons)


_PROBE = """
import os, socket, sys
inside, outside, secret, port = sys.argv[1:]
open(os.path.join(inside, "written"), "w").close()
try:
    open(os.path.join(outside, "written"), "w").close()
except OSError:
    pass
try:
    leak = open(secret).read()
except OSError:
    leak = ""
if leak:
    sys.exit("a hidden file can be read")
try:
    socket.create_connection(("127.0.0.1", int(port)), 2)
    sys.exit("the network can be reached")
except OSError:
    pass
"""


def trial(sandbox: Sandbox) -> str:
    """Run a probe in ``sandbox``; return why it does not hold, nothing where it does."""
    with (
        tempfile.TemporaryDirectory(prefix="aipipe-trial-") as name,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        top = Path(name).resolve()
        inside, outside, secret = top / "inside", top / "outside", top / "secret"
        inside.mkdir()
        outside.mkdir()
        secret.write_text("secret")
        policy = Policy(
            writable=(inside,),
            hidden=(secret,),
            environment={"PATH": "/usr/bin:/bin"},
            limits=Limits(seconds=20.0),
        )
        port = str(server.getsockname()[1])
        argv = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _PROBE,
            str(inside),
            str(outside),
            str(secret),
            port,
        ]
        try:
            outcome = run(sandbox.wrap(argv, policy, inside))
        except OSError as error:
            return str(error)
        if outcome.returncode:
            said = outcome.stderr.decode(errors="replace").strip().splitlines()
            return said[-1] if said else f"exit code {outcome.returncode}"
        if (outside / "written").exists():
            return "a folder outside can be written to"
        return "" if (inside / "written").exists() else "the writable folder cannot be written to"
