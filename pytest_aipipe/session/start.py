"""Start: check the request, read the change, begin to measure. Any failure is one line."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from aipipe_core.change.reader import read_change
from aipipe_core.config import load
from aipipe_core.errors import AipipeError
from pytest_aipipe import options
from pytest_aipipe.options import bad
from pytest_aipipe.session.host import Host
from pytest_aipipe.session.written import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_core.change.model import Change
    from aipipe_core.config import Settings

T = TypeVar("T")
NAME = "aipipe-session"


def start(config: pytest.Config, args: list[str]) -> None:
    """Register the session's :class:`Host` and start measuring.

    Raises :class:`pytest.UsageError` for a request that cannot be met.
    """
    untangle(config, args)
    settings = _said(lambda: load(config.rootpath, environ=os.environ, flags={}))
    asked = options.read(config, layers(settings))
    branch = settings.default_branch
    change = _said(lambda: read_change(config.rootpath, asked.spec, default_branch=branch))
    change = without_catching(change)
    check_head(change)
    if asked.write_dir is not None:
        check_write_dir(asked.write_dir, change.root)
    host = Host(config, asked, change)
    config.pluginmanager.register(host, NAME)
    config.add_cleanup(host.recorder.stop)
    host.recorder.start()
    host.mapping.watch.start()


def without_catching(change: Change) -> Change:
    """Return the change without the tests in which we stated the base's behaviour."""
    ledger = Ledger(change.root)
    kept = tuple(f for f in change.files if not ledger.holds_catching(change.root / f.path))
    return change if len(kept) == len(change.files) else replace(change, files=kept)


VALUED = ("--ai-diff", "--ai-write", "--ai-behavior-accept")
"""Options whose value may be left out."""


def untangle(config: pytest.Config, args: list[str]) -> None:
    """Give back a test path that argparse took for the value of the option before it.

    ``pytest --ai-diff tests/`` means a path. A word apart counts as SPEC only when it is
    no path; as DIR of ``--ai-write`` never. ``args`` and the namespace are changed in place.
    """
    known = config.known_args_namespace
    for index in range(len(args) - 1, -1, -1):
        word = args[index + 1] if index + 1 < len(args) else "-"
        if args[index] not in VALUED or word.startswith("-"):
            continue
        is_path = (Path(config.invocation_params.dir) / word.partition("::")[0]).exists()
        if args[index] == "--ai-write" and not is_path:
            hint = f"Write --ai-write={word}."
            raise bad("ambiguous-write", f"--ai-write {word}: is {word} its DIR", hint)
        if is_path and args[index] == "--ai-diff" and _is_revision(config.rootpath, word):
            hint = f"Write --ai-diff={word} for the revision, ./{word} for the path."
            raise bad("ambiguous-spec", f"{word} is a path and a revision", hint)
        if is_path or (known.pyargs and not _is_revision(config.rootpath, word)):
            args[index] += "="
            setattr(known, args[index][2:-1].replace("-", "_"), "")
            known.file_or_dir = [word, *known.file_or_dir]


def _is_revision(folder: Path, word: str) -> bool:
    if word in ("staged", "worktree"):
        return True
    return bool(_git(folder, "rev-parse", "--verify", "--quiet", f"{word}^{{commit}}"))


def _git(folder: Path, *arguments: str) -> str:
    """Return what git answers, "" where it fails."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError:  # no git: reading the change will say so
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _said(step: Callable[[], T]) -> T:
    """Return what ``step`` returns; an expected failure becomes a usage error of one line."""
    try:
        return step()
    except AipipeError as error:
        raise pytest.UsageError(re.sub(r"\s+", " ", str(error))) from error


OPTION_NAMES = ("engine", "budget", "write", "fail_under", "behavior", "select", "flaky_reruns",
                "flaky_hunt", "flaky_fix", "sandbox", "report", "send", "max_cost",
                "max_tokens")  # fmt: skip


def layers(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that a file and the environment give, as an ini twin would have them."""
    found: dict[str, dict[str, Any]] = {"file": {}, "environment": {}}
    for name in OPTION_NAMES:
        layer = settings.source(name).layer
        if layer in found:
            found[layer][f"ai_{name}"] = _text(name, settings.value(name))
    return found["file"], found["environment"]


def _text(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return list(value) if name == "report" else ",".join(value)
    return None if value is None else str(value)


def check_head(change: Change) -> None:
    """Raise when the change ends in a commit that is not checked out: its lines are not here."""
    if not re.fullmatch(r"[0-9a-f]{40,64}", change.head) or not change.files:
        return
    here = _git(change.root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if here != change.head:
        raise bad(
            "head-not-checked-out",
            f"{change.spec} ends in {change.head[:10]}, which is not checked out",
            f"Run git checkout {change.head[:10]} first: tests run on the files as they are.",
        )


def check_write_dir(folder: Path, root: Path) -> None:
    """Raise when tests must not be written to ``folder``."""
    real, top = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
    if real != top and top not in real.parents:
        raise bad(
            "write-outside",
            f"--ai-write={folder} is outside the repository {root}",
            "Choose a folder in it.",
        )
    if ".git" in real.relative_to(top).parts:
        raise bad("write-outside", f"--ai-write={folder} is git's own", "Choose another folder.")
    if real.exists() and not real.is_dir():
        raise bad("write-to-file", f"--ai-write={folder} is a file", "Choose a folder.")
    parent = next(place for place in (real, *real.parents) if place.exists())
    if not parent.is_dir():
        raise bad("write-to-file", f"--ai-write={folder}: {parent} is a file", "Choose a folder.")
    if not os.access(parent, os.W_OK):
        raise bad("write-forbidden", f"--ai-write={folder}: no leave to write", "Choose another.")
