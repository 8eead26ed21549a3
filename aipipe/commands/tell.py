"""An answer in words and as JSON, and files that are whole or not there."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from aipipe_core.errors import RequestError


def tell(words: str, answer: dict[str, Any], file: str | None) -> None:
    """Print the words, and the JSON where it was asked for; ``-`` prints JSON alone."""
    text = json.dumps(answer, indent=2) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    if file is not None:
        write_whole(Path(file), text)
    print(words.encode("utf-8", "backslashreplace").decode("utf-8"))


def write_whole(path: Path, text: str) -> None:
    """Write a file that is whole or not there; ``RequestError`` (``cannot-write``) otherwise."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a pipe or /dev/stdout cannot be replaced
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RequestError(
            "cannot-write",
            f"{path} cannot be written: {error.strerror}",
            hint="Name a file in a folder that exists and that you may write to.",
        ) from error
