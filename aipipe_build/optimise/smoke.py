"""A smoke run: does the image still do the one thing that somebody said it must."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_build.run.argv import Command
from aipipe_build.run.process import TOO_LONG, Ended, run_quietly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_ENTRY_SECONDS = 10.0
_TICK = 0.25
_SAID = 200
_ENGINE = 60.0

PROBE = """
import importlib, importlib.metadata as m, sys, warnings
warnings.simplefilter("ignore")
names = set(getattr(sys, "stdlib_module_names", ()))
names -= {"antigravity", "this", "tkinter", "_tkinter", "turtle", "turtledemo", "idlelib"}
for dist in m.distributions():
    for file in dist.files or ():
        top = file.parts[0]
        if top.endswith(".py") and len(file.parts) == 1: names.add(top[:-3])
        elif len(file.parts) == 2 and file.parts[1] == "__init__.py": names.add(top)
        elif len(file.parts) == 1 and ".so" in top: names.add(top.split(".")[0])
for name in sorted(names):
    try: importlib.import_module(name)
    except BaseException: continue
    sys.__stdout__.write("can import " + name + "\\n")
"""
"""Prints the modules of Python's own and of the installed distributions that can be imported.

What needs a screen is left out: slim images do not have it.
"""


@dataclass(frozen=True, slots=True)
class Smoke:
    """Which command, and whose word it is: ``configuration``, ``health``, ``entry``."""

    kind: str
    command: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The smoke run in words."""
        names = {
            "configuration": f"the command {' '.join(self.command[-1:])!r}",
            "health": "the image's health check",
            "entry": "the image's entry point",
        }
        return names[self.kind]


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """How it ended. ``state`` is compared between two images; ``said`` is for people."""

    passed: bool
    state: str
    said: str = ""


def choose_smoke(configured: tuple[str, ...], config: Mapping[str, Any]) -> Smoke:
    """Return the smoke run for an image with this configuration."""
    if configured:
        return Smoke("configuration", configured)
    test = (config.get("Healthcheck") or {}).get("Test") or []
    if test and test[0] != "NONE":
        return Smoke("health")
    return Smoke("entry")


def run_smoke(
    smoke: Smoke,
    image: str,
    folder: Path,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> SmokeResult:
    """Run it in a container without a network, within ``seconds``, and remove the container."""
    name = f"aipipe-smoke-{uuid.uuid4().hex[:12]}"
    try:
        if smoke.kind == "configuration":
            ended = run_quietly(_instead(name, image, smoke.command), folder, seconds=seconds)
            return _of_command(ended, seconds)
        started = run_quietly(_detached(name, image, smoke.kind), folder, seconds=_ENGINE)
        if started.code:
            return SmokeResult(passed=False, state="does not start", said=_words(started.said))
        bound = seconds if smoke.kind == "health" else min(seconds, _ENTRY_SECONDS)
        return _watched(smoke, name, folder, clock() + bound, clock)
    finally:
        run_quietly(_docker("rm", "--force", "--volumes", name), folder, seconds=_ENGINE)


def importable(image: str, folder: Path, seconds: float) -> set[str] | None:
    """Return the modules that an image's Python can import; None where it has no Python."""
    for program in ("python", "python3"):
        name = f"aipipe-probe-{uuid.uuid4().hex[:12]}"
        command = _instead(name, image, (program, "-c", PROBE))
        ended = run_quietly(command, folder, seconds=seconds)
        run_quietly(_docker("rm", "--force", name), folder, seconds=_ENGINE)
        if ended.code == 0:
            lines = ended.output.splitlines()
            return {line[11:] for line in lines if line.startswith("can import ")}
    return None


def _of_command(ended: Ended, seconds: float) -> SmokeResult:
    if ended.code == TOO_LONG:
        return SmokeResult(passed=False, state="hangs", said=f"no end within {seconds:g} s")
    state = f"ends with {ended.code}"
    return SmokeResult(passed=ended.code == 0, state=state, said=_words(ended.said))


def _watched(
    smoke: Smoke, name: str, folder: Path, deadline: float, clock: Callable[[], float]
) -> SmokeResult:
    """Look at a running container until it has an answer or its time is over."""
    while True:
        running, code, health = _state(name, folder)
        if not running:
            ended = f"ends with {code}"
            passed = smoke.kind == "entry" and code == "0"
            return SmokeResult(passed=passed, state=ended, said=_log(name, folder))
        if smoke.kind == "health" and health in ("healthy", "unhealthy"):
            said = "" if health == "healthy" else _log(name, folder)
            return SmokeResult(passed=health == "healthy", state=health, said=said)
        if clock() >= deadline:
            if smoke.kind == "entry":
                return SmokeResult(passed=True, state="keeps running")
            return SmokeResult(passed=False, state="hangs", said=f"health stays {health!r}")
        time.sleep(_TICK)


def _state(name: str, folder: Path) -> tuple[bool, str, str]:
    form = (
        "{{.State.Running}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{end}}"
    )
    ended = run_quietly(_docker("inspect", f"--format={form}", name), folder, seconds=_ENGINE)
    running, code, health = [*ended.output.split(), "", "", ""][:3]
    return running == "true", code, health


def _log(name: str, folder: Path) -> str:
    return _words(run_quietly(_docker("logs", "--tail=5", name), folder, seconds=_ENGINE).said)


def _words(text: str) -> str:
    return " ".join(text.split())[-_SAID:]


def _docker(*words: str) -> Command:
    return Command(("docker", *words))


def _instead(name: str, image: str, command: tuple[str, ...]) -> Command:
    """Return the command that runs something in the place of the image's own program."""
    head = ("run", "--rm", f"--name={name}", "--network=none", f"--entrypoint={command[0]}")
    return _docker(*head, image, *command[1:])


def _detached(name: str, image: str, kind: str) -> Command:
    health = ("--health-interval=1s",) if kind == "health" else ()
    return _docker("run", "--detach", f"--name={name}", "--network=none", *health, image)
