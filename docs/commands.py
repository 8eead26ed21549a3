"""The commands that the documents show, and which of them a test executes.

python docs/commands.py            # page by page; with a reason where one is not executed

tests/integration/docs executes them: those of ``console`` blocks on the example service as it
stands, the others each on a repository that has what the page speaks of. What needs a Docker
engine is executed where there is one. Where tests are generated, AIPIPE_BUDGET is 12 seconds.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[1]
PROGRAMS = ("aipipe", "aipipe-build", "aipipe-deploy", "pytest", "pip", "make", "python", "bash")
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(rf"^    (?:- run: )?((?:{'|'.join(PROGRAMS)})(?: .*)?)$", re.MULTILINE)
_REMARK = re.compile(r"(?:\s{2,}|\s+# ).*$")

# The start of a command, and why no test executes it.
NOT_EXECUTED = {
    "make test": "it is what executes all the others",
    "make lint": "it runs over the whole checkout, which no test does",
}
# What needs an engine begins with one of these; all the rest runs with Python and git alone.
ENGINE = (
    "aipipe-build run -t shop/web .",
    "aipipe-build report",
    "aipipe-build optimise",
    "aipipe-build scan shop/web",
    "aipipe-deploy plan",
    "aipipe-deploy up",
    "aipipe-deploy rollback",
    "aipipe-deploy status",
    "aipipe-deploy resume",
    "aipipe-deploy history",
    "aipipe-deploy watch",
    "python bench/commit_to_live.py",
)
# What a test adds: it has not the time that a reader has, nor the registry.
_INSTALLED = "--dry-run --no-index --no-build-isolation"
ADDED = {
    "make demo": "--directory=$CHECKOUT VENV=$PWD/../ready",
    "pip install pytest-aipipe": _INSTALLED,
    "pip install 'pytest-aipipe[llm]'": _INSTALLED,
    "pip install 'pytest-aipipe[risk]'": _INSTALLED,
    "aipipe-deploy watch": "--seconds 2",
    "aipipe-build run -t shop/web:1 --push --secret id=npm,env=NPM_TOKEN .": "--dry-run",
    "python bench/peers.py --mirrors CLONES --corpus CORPUS --limit 6": "--peers ours --budget 12",
    "python bench/startup.py --runs 40": "--runs 1",
    "python bench/route_replay.py --mirrors CLONES --work bench-work --json route.json": (
        "--list projects.toml --projects shop --commits 2 --faults 1"
    ),
    "python bench/commit_to_live.py --watch 20": "--watch 1 --only low",
}
# The start of a command, a word of it, and what a test puts there: nothing leaves the machine.
INSTEAD = {
    "pip install": ("pytest-aipipe", "this checkout"),
    "aipipe-build scan shop/web:1 --advisories https:": (
        "https://api.osv.dev",
        "a server on the loopback address that answers as it does",
    ),
}
# A word of a command, and what else is to be known of its execution.
REMARKS = {
    "make demo": "in an environment that is there already",
    "CLONES": "CLONES being small repositories that the test makes",
    "CORPUS": "CORPUS one commit of these and a measure of the test's own",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a page, as a shell takes it."""

    page: str
    text: str
    console: bool

    @property
    def reason(self) -> str:
        """Return why no test executes it, "" where one does."""
        found = (why for start, why in NOT_EXECUTED.items() if self.text.startswith(start))
        return "" if self.console else next(found, "")

    @property
    def needs_engine(self) -> bool:
        """Tell whether it is executed only where there is a Docker engine."""
        return not self.console and not self.reason and self.text.startswith(ENGINE)


def pages() -> list[Path]:
    """Return the documents, in their order."""
    return [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]


def commands_of(page: Path) -> Iterator[Command]:
    """Yield a page's commands: those of ``console`` blocks, then the others."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(TOP).as_posix()
    for block in _CONSOLE.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                yield Command(name, line[2:], console=True)
    for line in _SHOWN.findall(text):
        yield Command(name, _REMARK.sub("", line), console=False)


def replaced(command: Command) -> tuple[str, str]:
    """Return the word in whose place a test puts something, and what; both "" where none is."""
    found = (pair for start, pair in INSTEAD.items() if command.text.startswith(start))
    return next(found, ("", ""))


def listed(command: Command) -> str:
    """Return the command's line of the list."""
    added = ADDED.get(command.text)
    word, other = replaced(command)
    more = [remark for word, remark in REMARKS.items() if word in command.text]
    remarks = (
        f"not executed: {command.reason}" if command.reason else "",
        "with an engine" if command.needs_engine else "",
        f"with {added}" if added else "",
        f"for {word} {other}" if word else "",
        *more,
    )
    line = f"{command.page}: {' ' if command.reason else '$'} {command.text}"
    remark = ", ".join(filter(None, remarks))
    return f"{line}    ({remark})" if remark else line


def main() -> int:
    """Print them."""
    found = [command for page in pages() for command in commands_of(page)]
    for command in found:
        print(listed(command))
    left = sum(bool(command.reason) for command in found)
    engine = sum(command.needs_engine for command in found)
    print(f"{len(found) - left} executed ({engine} of them with an engine), {left} not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
