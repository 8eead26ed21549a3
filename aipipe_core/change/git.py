"""Git, started in one place: GitPython's command layer, a clean environment, clear errors.

GitPython is imported inside functions: the plugin lives in the process of its users'
tests and must not import what nobody asked for.
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from aipipe_core.errors import AipipeError, RequestError, SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KEPT_VARIABLES = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
    }
)
"""Variables about the machine. All others may name another repository: inside a hook git
exports ``GIT_DIR`` and ``GIT_INDEX_FILE``, which would follow us into every repository."""

KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_PYTHON_")

OWN_VARIABLES = {
    "GIT_OPTIONAL_LOCKS": "0",  # reading must not write the user's index
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
}

NEUTRAL_SETTINGS = (
    "core.quotePath=false",
    "core.fsmonitor=false",  # would start a program of the repository's choosing
    f"core.hooksPath={os.devnull}",
    "color.ui=false",
)

_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class Output:
    """What a git command ended with."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text, without the last line's end."""
        return os.fsdecode(self.out).rstrip("\n")


def is_foreign(name: str) -> bool:
    """Whether environment variable ``name`` may point git at something else than we mean."""
    if not name.startswith("GIT_"):
        return False
    return name not in KEPT_VARIABLES and not name.startswith(KEPT_PREFIXES)


@contextmanager
def scrubbed_environment() -> Iterator[None]:
    """Hide git's own variables from GitPython, which hands ``os.environ`` to git whole."""
    with _lock:
        hidden = {name: value for name, value in os.environ.items() if is_foreign(name)}
        for name in hidden:
            del os.environ[name]
        try:
            yield
        finally:
            os.environ.update(hidden)


def command(*arguments: str) -> list[str]:
    """Return the argv of a git command with the user's disturbing settings neutralised."""
    argv = ["git", "--no-pager"]
    for setting in NEUTRAL_SETTINGS:
        argv += ["-c", setting]
    return argv + list(arguments)


def run(
    root: Path,
    *arguments: str,
    stdin: bytes | None = None,
    environ: Mapping[str, str] | None = None,
    check: bool = True,
) -> Output:
    """Run git in ``root``; with ``check``, an exit code other than 0 is an error.

    Raises ``SurroundingsError`` (``git-missing``, ``git-unsafe-directory``, ``git-failed``)
    and ``RequestError`` (``not-a-repository``, ``no-such-folder``).
    """
    if not root.is_dir():
        raise RequestError(
            "no-such-folder", "The folder does not exist", where=str(root), hint="Check the path."
        )
    with scrubbed_environment(), tempfile.TemporaryFile() as source:
        source.write(stdin or b"")
        source.seek(0)
        output = _execute(root, command(*arguments), source, {**OWN_VARIABLES, **(environ or {})})
    if check and output.code:
        raise failure(root, arguments, output)
    return output


def _execute(root: Path, argv: list[str], stdin: BinaryIO, environ: dict[str, str]) -> Output:
    """Run through GitPython; the one place that starts git for the change."""
    try:
        from git.cmd import Git
        from git.exc import GitCommandNotFound
    except ImportError as error:  # GitPython refuses to be imported without a git to call
        raise _missing() from error
    argv[0] = str(Git.GIT_PYTHON_GIT_EXECUTABLE or "git")
    try:
        code, out, err = Git(str(root)).execute(
            argv,
            istream=stdin,
            env=environ,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )
    except GitCommandNotFound as error:
        raise _missing() from error
    return Output(code, bytes(out), str(err))


def _missing() -> SurroundingsError:
    return SurroundingsError(
        "git-missing",
        "git was not found on the PATH",
        hint="Install it (Debian: apt-get install git) and run again.",
    )


def failure(root: Path, arguments: tuple[str, ...], output: Output) -> AipipeError:
    """Return the error that says what git's refusal means and what to do."""
    message = output.err.strip()
    if "dubious ownership" in message or "unsafe repository" in message:
        return SurroundingsError(
            "git-unsafe-directory",
            "git refuses this repository because another user owns it",
            where=str(root),
            hint=f"If you trust it: git config --global --add safe.directory '{root}'.",
        )
    if "not a git repository" in message:
        return RequestError(
            "not-a-repository",
            "This is not inside a git repository",
            where=str(root),
            hint="Run from inside one, or start one with: git init.",
        )
    if "must be run in a work tree" in message:
        return RequestError(
            "no-working-tree",
            "This repository has no working tree",
            where=str(root),
            hint="Run in a clone that is not bare, outside its .git folder.",
        )
    lines = [line for line in message.splitlines() if not line.startswith(("hint:", "warning:"))]
    return SurroundingsError(
        "git-failed",
        f"git {arguments[0]} failed: {' '.join(lines)[:500] or f'exit code {output.code}'}",
        where=str(root),
        hint="Run the same command by hand to see more.",
    )


def top_of(folder: Path) -> Path:
    """Return the working tree's top that holds ``folder``; an error where there is none."""
    top = run(folder, "rev-parse", "--show-toplevel").text
    return type(folder)(top)
