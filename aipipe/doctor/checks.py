"""What the doctor looks at, one function a thing; none of them changes anything."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe.branch import default_branch
from aipipe.doctor.finding import Finding, State
from aipipe.doctor.testfiles import tests_of
from aipipe_core.change.git import run, top_of
from aipipe_core.change.resolve import head_commit, is_shallow, remotes
from aipipe_core.config import keys, load
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aipipe_core.config import Settings

OLDEST_PYTHON = (3, 11)
OLDEST_GIT = (2, 25)
PATIENCE = 5.0
"""Seconds that a program may take to say that it is there."""

_LSM = Path("/sys/kernel/security/lsm")


def examine(folder: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Return what was found from ``folder`` on, in the order of the report."""
    found = [_python(), *_packages(), _git()]
    top: Path | None = None
    try:
        top = top_of(folder)
    except AipipeError as error:
        found.append(Finding("repository", State.BAD, error.what, error.hint))
    if top:
        found += [_repository(top), _history(top), tests_of(top)]
    found += [_sandbox(), _docker(environ), _model(top or folder, environ)]
    return [*found, *_settings(top or folder, environ)]


def _python() -> Finding:
    text = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", State.BAD, text, "Use Python 3.11 or later.")
    return Finding("python", State.GOOD, text)


def _packages() -> Iterator[Finding]:
    for name in ("pytest", "coverage"):
        try:
            yield Finding(name, State.GOOD, metadata.version(name))
        except metadata.PackageNotFoundError:
            advice = f"{sys.executable} -m pip install {name}"
            yield Finding(name, State.BAD, "not installed in this environment", advice)


def _git() -> Finding:
    try:
        version = run(Path(os.sep), "--version").text.removeprefix("git version ")
    except AipipeError as error:
        return Finding("git", State.BAD, error.what, error.hint)
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GIT:
        return Finding("git", State.BAD, version, "Install git 2.25 or later.")
    return Finding("git", State.GOOD, version)


def _repository(top: Path) -> Finding:
    if head_commit(top) is None:
        return Finding("repository", State.GOOD, f"{top}, before its first commit")
    try:
        branch = default_branch(top)
    except AipipeError as error:
        return Finding("repository", State.OPTIONAL, f"{top}. {error.what}", error.hint)
    against = f"compares with {branch}" if branch else "has one branch, compares with HEAD"
    return Finding("repository", State.GOOD, f"{top}, {against}")


def _history(top: Path) -> Finding:
    if is_shallow(top):
        remote = (remotes(top) or ["origin"])[0]
        text = "cut off (shallow clone): merge base and risk cannot look back"
        return Finding("history", State.OPTIONAL, text, f"git fetch --unshallow {remote}")
    if head_commit(top) is None:
        return Finding("history", State.OPTIONAL, "none yet", "Commit something.")
    count = run(top, "rev-list", "--count", "--max-count=100000", "HEAD").text
    return Finding("history", State.GOOD, f"{count} commits")


def _sandbox() -> Finding:
    bubblewrap = shutil.which("bwrap")
    if bubblewrap and _answers([bubblewrap, "--ro-bind", "/", "/", "--unshare-net", "true"])[0]:
        return Finding("sandbox", State.GOOD, f"bubblewrap ({bubblewrap})")
    why = "bubblewrap is here and may not start" if bubblewrap else "no bubblewrap"
    if "landlock" in _lsm():
        return Finding("sandbox", State.GOOD, f"Landlock ({why})")
    return Finding(
        "sandbox",
        State.OPTIONAL,
        f"{why}, no Landlock: generated code runs behind the audit-hook guard only",
        "Install bubblewrap (Debian: apt-get install bubblewrap).",
    )


def _lsm() -> str:
    try:
        return _LSM.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _docker(environ: Mapping[str, str]) -> Finding:
    docker = shutil.which("docker")
    if not docker:
        advice = "Builds and releases need Docker; tests do not."
        return Finding("docker", State.OPTIONAL, "no docker command on the PATH", advice)
    works, text = _answers([docker, "version", "--format", "{{.Server.Version}}"])
    if works:
        return Finding("docker", State.GOOD, f"engine {text}")
    where = environ.get("DOCKER_HOST", "the local socket")
    advice = "Start the engine, and see that you may use its socket: docker version."
    return Finding("docker", State.OPTIONAL, f"no engine answers at {where}", advice)


def _answers(argv: list[str]) -> tuple[bool, str]:
    """Return whether the program ended well in time, and its first line."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return False, ""
    lines = done.stdout.strip().splitlines()
    return done.returncode == 0, lines[0] if lines else ""


def _model(folder: Path, environ: Mapping[str, str]) -> Finding:
    from aipipe_core.llm import is_configured, setup_from

    try:
        version = metadata.version("openai")
    except metadata.PackageNotFoundError:
        advice = "Not needed. To use a model: pip install 'pytest-aipipe[llm]'."
        return Finding("model", State.OPTIONAL, "no openai package: the local engine works", advice)
    try:
        settings = load(folder, environ=environ, flags={})
        setup = setup_from(settings, environ)
    except AipipeError as error:
        return Finding("model", State.OPTIONAL, error.what, error.hint)
    if not is_configured(settings, environ):
        advice = "Not needed. To use a model: set OPENAI_API_KEY, or OPENAI_BASE_URL."
        return Finding("model", State.OPTIONAL, f"openai {version}, no key set", advice)
    problem = setup.problem()
    if isinstance(problem, AipipeError):
        return Finding("model", State.OPTIONAL, problem.what, problem.hint)
    tiers = ", ".join(f"{tier.name} {tier.model}" for tier in setup.tiers.values())
    text = f"openai {version}, {setup.api} at {setup.host} ({tiers}), sends: {settings.send}"
    return Finding("model", State.GOOD, text, "aipipe doctor --would-send prints what would leave.")


def _settings(root: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings = load(root, environ=environ, flags={})
    except AipipeError as error:
        where = f" ({error.where})" if error.where else ""
        yield Finding("settings", State.BAD, f"{error.what}{where}", error.hint)
        return
    yield _store(root, settings)
    for key in keys():
        source = settings.source(key.name)
        if source.layer != "default":
            value = "(hidden)" if key.name.endswith("url") else repr(settings.value(key.name))
            yield Finding(f"setting {key.name}", State.GOOD, f"{value} from {source}")


def _store(root: Path, settings: Settings) -> Finding:
    if settings.store.url:
        kind = settings.store.url.partition(":")[0]
        return Finding("store", State.GOOD, f"{kind}, as configured")
    folder = root / ".aipipe"
    place = folder if folder.exists() else root
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Finding("store", State.GOOD, f"{folder}")
    advice = "Give yourself leave to write there, or set store.url."
    return Finding("store", State.BAD, f"{place} cannot be written", advice)
