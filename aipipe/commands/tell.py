"""An answer in words and as JSON, and files that are whole or not there."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

from aipipe_core.errors import RequestError
from aipipe_core.whole import write_whole


def tell(words: str, answer: dict[str, Any], file: str | None) -> None:
    """Print the words, and the JSON where it was asked for; ``-`` prints JSON alone."""
    text = json.dumps(answer, indent=2) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    if file is not None:
        write_file(Path(file), text)
    print(words.encode("utf-8", "backslashreplace").decode("utf-8"))


def write_file(path: Path, text: str) -> None:
    """Write a file that is whole or not there; ``RequestError`` (``cannot-write``) otherwise."""
    try:
        if not path.parent.is_dir():  # a folder that is spelled wrongly is not made
            raise NotADirectoryError(errno.ENOENT, os.strerror(errno.ENOENT))
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        raise RequestError(
            "cannot-write",
            f"{path} cannot be written: {error.strerror}",
            hint="Name a file in a folder that exists and that you may write to.",
        ) from error
