"""The project's own formatter where it has one, else a plain layout."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.write.tidy import tidied

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 20.0
DEFAULT_WIDTH = 88


@dataclass(frozen=True, slots=True)
class Formatter:
    """``commands`` are run one after another over the text; ``width`` is for the plain layout."""

    commands: tuple[tuple[str, ...], ...] = ()
    width: int = DEFAULT_WIDTH
    cwd: Path = Path()

    def format(self, source: str, path: Path) -> str:
        """Return ``source`` laid out as a file at ``path`` would be; never fails."""
        for command in self.commands:
            source = _piped([*command, str(path), "-"], source, self.cwd)
        return tidied(source, self.width)


def formatter_of(root: Path) -> Formatter:
    """Return the formatter that the project at ``root`` is configured for."""
    settings = _toml(root / "pyproject.toml").get("tool", {})
    ruff = settings.get("ruff")
    for name in ("ruff.toml", ".ruff.toml"):
        if (root / name).is_file():
            ruff = _toml(root / name)
    black = settings.get("black")
    width = _width(ruff, black)
    if isinstance(ruff, dict) and find_spec("ruff") is not None:
        base = (sys.executable, "-m", "ruff")
        return Formatter(
            (
                (*base, "check", "--quiet", "--select=I", "--fix-only", "--stdin-filename"),
                (*base, "format", "--quiet", "--stdin-filename"),
            ),
            width,
            root,
        )
    if isinstance(black, dict) and find_spec("black") is not None:
        command = (sys.executable, "-m", "black", "--quiet", "--stdin-filename")
        return Formatter((command,), width, root)
    return Formatter((), width, root)


def _width(*settings: Any) -> int:
    for one in settings:
        if isinstance(one, dict) and isinstance(one.get("line-length"), int):
            return int(one["line-length"])
    return DEFAULT_WIDTH


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _piped(command: Sequence[str], source: str, cwd: Path) -> str:
    try:
        done = subprocess.run(
            command,
            input=source.encode(),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            cwd=cwd,
        )
    except (OSError, subprocess.TimeoutExpired):
        return source
    text = done.stdout.decode(errors="replace")
    return text if done.returncode == 0 and text.strip() else source
