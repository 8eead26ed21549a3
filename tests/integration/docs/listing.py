"""The documents' commands as ``docs/commands.py`` lists them, and where they are executed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TOP = Path(__file__).parents[3]
sys.path.insert(0, str(TOP / "docs"))
try:
    import commands  # type: ignore[import-not-found]
finally:
    sys.path.pop(0)

ADDED: dict[str, str] = commands.ADDED
BEGINNINGS = (*commands.NOT_EXECUTED, *commands.ENGINE, *commands.ADDED, *commands.INSTEAD)
COMMANDS = [command for page in commands.pages() for command in commands.commands_of(page)]


def replaced(text: str, values: dict[str, str]) -> str:
    """Return the command with what ``values`` has for the word that is not to be taken as it is."""
    found = (word for start, (word, _) in commands.INSTEAD.items() if text.startswith(start))
    word = next(found, "")
    return text.replace(word, values[word]) if word else text


def environment() -> dict[str, str]:
    """Return the surroundings of a user who has this checkout's programs, and no model."""
    strange = ("GIT_", "PYTEST_", "COV_", "COVERAGE_", "AIPIPE_", "GITHUB_", "GITLAB_", "CI",
               "OPENAI_", "AZURE_")  # fmt: skip
    kept = {key: value for key, value in os.environ.items() if not key.startswith(strange)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(TOP), "CHECKOUT": str(TOP),
            "GIT_CONFIG_GLOBAL": os.devnull, "PIP_NO_INDEX": "1"}  # fmt: skip
