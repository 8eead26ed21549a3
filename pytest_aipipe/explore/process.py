"""The child pytest process: its command, its surroundings, its channel."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from select import select
from typing import TYPE_CHECKING

import pytest_aipipe
from aipipe_core.errors import SurroundingsError
from aipipe_core.sandbox import kill
from pytest_aipipe.explore.paths import path_alone
from pytest_aipipe.explore.wire import Closed, Message, Reader, pack, write

if TYPE_CHECKING:
    from pytest_aipipe.generate.request import Request

Started = tuple[Sequence[str], Mapping[str, str]]
Launch = Callable[[Sequence[str], Mapping[str, str], Path], Started]
"""Puts a command into the sandbox: argv, environment and working folder to what is started."""

KEPT = ("COVERAGE_CORE",)
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def unsandboxed(argv: Sequence[str], env: Mapping[str, str], _cwd: Path) -> Started:
    """Return the command as it is."""
    return argv, env


def command(request: Request, files: Sequence[Path]) -> list[str]:
    """Return the argv of a child that collects ``files`` under the session's own options."""
    options = ["-p", "no:aipipe", "-p", "pytest_aipipe.explore.child", "-p", "no:cacheprovider"]
    options += without_plugins(request.pytest_args)
    given = [str(one) for one in files] or [str(request.rootdir)]
    return [
        sys.executable,
        "-m",
        "pytest",
        *request.pytest_args,
        *options,
        "--continue-on-collection-errors",
        "--tb=no",  # nobody reads the pictures, and drawing one parses whole source files
        "-q",
        *given,
    ]


def without_plugins(words: Sequence[str]) -> list[str]:
    """Return the options that keep plugins from measuring or spreading a child's tests."""
    spreading = ["-n0"] if _loads("xdist", words) else []
    measuring = ["--no-cov"] if _loads("pytest_cov", words) else []
    return spreading + measuring


def _loads(plugin: str, words: Sequence[str]) -> bool:
    """Whether the child will have ``plugin``; ``-p no:NAME`` blocks ``pytest_NAME`` as well."""
    blocked = {f"no:{plugin}", f"no:{plugin.removeprefix('pytest_')}"}
    return find_spec(plugin) is not None and blocked.isdisjoint(words)


def environment(
    request: Request, hash_seed: str, *, alone: bool = False, zone: str = ""
) -> dict[str, str]:
    """Return the child's environment: no key, no token, the project's own import path.

    With ``alone`` that path is the one that a test file finds when nothing else is collected.
    ``zone`` is the time zone, where it is to be another one than here.
    """
    kept = {name: request.environ[name] for name in _PASSED if name in request.environ}
    if zone:
        kept["TZ"] = zone
    inherited = request.environ.get("PYTHONPATH", "")
    own = path_alone(request) if alone else request.python_path
    path = [*own, *filter(None, inherited.split(os.pathsep))]
    if our_folder().name not in {"site-packages", "dist-packages"}:
        path.append(str(our_folder()))
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "PYTHONHASHSEED": hash_seed,
        "PYTHONDONTWRITEBYTECODE": "1",
        "COVERAGE_CORE": "ctrace",
    }


def our_folder() -> Path:
    """Return the folder from which this package is imported."""
    return Path(pytest_aipipe.__file__).resolve().parent.parent


class ChildProcess:
    """A started child; speaks messages, and dies when told to."""

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], setup: Message
    ) -> None:
        try:
            self._process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise SurroundingsError(
                "explorer-not-started",
                f"The explorer's process could not be started: {error}",
                hint="Look whether the sandbox's programs can be run, or use --ai-sandbox=off.",
            ) from error
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._in = self._process.stdin.fileno()
        self._reader = Reader(self._process.stdout.fileno())
        self.stderr = b""
        self.send(setup)

    def send(self, message: Message) -> None:
        """Send ``message``; raise :class:`Closed` where the child is gone."""
        write(self._in, pack(message))

    def receive(self, timeout: float) -> Message | None:
        """Return the next message, None after ``timeout`` seconds; raise :class:`Closed`."""
        end = time.monotonic() + timeout
        while (message := self._reader.pop()) is None:
            left = end - time.monotonic()
            if left <= 0:
                return None
            assert self._process.stderr is not None  # noqa: S101
            errors = self._process.stderr.fileno()
            ready, _, _ = select([self._reader.fd, errors], [], [], left)
            if errors in ready:
                self.stderr = (self.stderr + os.read(errors, 1 << 14))[-4000:]
            if self._reader.fd in ready and not self._reader.pull():
                raise Closed
        return message

    def close(self) -> None:
        """End the child and wait for it."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue
        kill(self._process)
