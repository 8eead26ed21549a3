"""The commands that the documents show, and which of them a test executes.

python docs/commands.py            # those that tests/integration/docs executes, page by page
python docs/commands.py --all      # the others too: a test holds that each is understood
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
PROGRAMS = ("aipipe", "aipipe-build", "aipipe-deploy", "pytest")
_EXECUTED = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(rf"^    ((?:{'|'.join(PROGRAMS)})(?: .*)?)$", re.MULTILINE)
_REMARK = re.compile(r"(?:\s{2,}|\s+# ).*$")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a page, as a shell takes it."""

    page: str
    text: str
    executed: bool


def pages() -> list[Path]:
    """Return the documents, in their order."""
    return [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]


def commands_of(page: Path) -> Iterator[Command]:
    """Yield a page's commands: those of ``console`` blocks, then those that are only shown."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(TOP).as_posix()
    for block in _EXECUTED.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                yield Command(name, line[2:], executed=True)
    for line in _SHOWN.findall(text):
        yield Command(name, _REMARK.sub("", line), executed=False)


def main() -> int:
    """Print them."""
    found = [command for page in pages() for command in commands_of(page)]
    for command in found:
        if command.executed or "--all" in sys.argv[1:]:
            print(f"{command.page}: {'$' if command.executed else ' '} {command.text}")
    executed = sum(command.executed for command in found)
    print(f"{executed} executed, {len(found) - executed} shown and held by their arguments")
    return 0


if __name__ == "__main__":
    sys.exit(main())
