"""Draw what a command really printed, as an SVG for the README.

    python docs/picture.py OUT.svg [--lines N] -- COMMAND [ARG ...]

The command runs on a terminal of its own (a pty), so that it colours its output as it
would for a person; the picture holds its last N lines.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100


def screen(command: list[str]) -> str:
    """What the command left on the terminal: progress lines that it rewrote are gone."""
    chunks: list[bytes] = []

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        chunks.append(data)
        return data

    os.environ.update(COLUMNS=str(WIDTH), LINES="60", TERM="xterm-256color")
    pty.spawn(command, read)
    text = b"".join(chunks).decode(errors="replace").replace("\r\n", "\n")
    lines = [line.rpartition("\r")[2] for line in text.split("\n")]
    return "\n".join(re.sub(r"\x1b\[[0-9]*[AKJ]", "", line) for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--title", default="pytest --ai-diff")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    text = screen(arguments.command).rstrip("\n").split("\n")[-arguments.lines :]
    # A temporary folder's name differs from run to run and says nothing.
    kept = re.sub(r"/tmp/[\w-]+/", "~/", "\n".join(text))
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))
    console.print(Text.from_ansi(kept))
    svg = console.export_svg(title=arguments.title)
    # The picture names a font of a foreign server; a reader's own monospace font will do.
    arguments.out.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))
    print(f"{arguments.out}: {len(text)} lines")


if __name__ == "__main__":
    sys.exit(main())
