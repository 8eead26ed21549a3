"""Files of the shop."""

import json
import os
import tempfile
from pathlib import Path

CACHE = Path(tempfile.gettempdir()) / "shop-cache"


def save(name, value, folder="."):
    path = Path(folder) / f"{name}.json"
    path.write_text(json.dumps(value), "utf-8")
    return path


def append_line(path, line):
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(line + "\n")


def lines(path):
    return Path(path).read_text("utf-8").splitlines()


def lock(path):
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.close(handle)


def cached(key, make):
    CACHE.mkdir(exist_ok=True)
    file = CACHE / key
    if not file.exists():
        file.write_text(make())
        return "made"
    return "cached"


def write_note(path, text):
    with open(path, "w") as stream:
        stream.write(text)


def read_note(path):
    with open(path) as stream:
        return stream.read()
