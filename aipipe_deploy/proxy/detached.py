"""A detached process: started by a command, outlives it, and is found again by its pid file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""What such a process needs of the environment; the rest may hold secrets."""


@dataclass(frozen=True, slots=True)
class Detached:
    """One script of ours that runs for ``folder``; its process id stands in ``pid_file``."""

    folder: Path
    script: str
    pid_file: Path

    def pid(self) -> int:
        """Return its process id, 0 where it does not run."""
        try:
            pid = int(self.pid_file.read_text(encoding="utf-8"))
            os.kill(pid, 0)
        except (OSError, ValueError):
            return 0
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            name = os.fsencode(Path(self.script).name)
            ours = os.fsencode(self.folder) in words and any(w.endswith(name) for w in words)
            return pid if ours else 0
        return pid  # no /proc: take its word

    def start(self, *words: str, log: Path | None = None) -> int:
        """Start it in a session of its own; return its process id. Raises ``OSError``."""
        with Path(log or os.devnull).open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-I", self.script, str(self.folder), *words],
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        child.returncode = 0  # it outlives us: nothing is to wait for it
        return child.pid

    def end(self) -> None:
        """Tell it to end, if it runs."""
        pid = self.pid()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
