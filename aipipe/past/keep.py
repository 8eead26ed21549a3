"""A walk on disk, so that the next one only takes what is new.

Compressed JSON and no pickle: a repository may hold any file, ``.aipipe`` of a stranger too,
and reading one must not run it. What cannot be read is walked again.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
import zlib
from array import array
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aipipe.past.memory import AuthorPast, Fading, FilePast, Memory, ProjectPast
from aipipe.past.origins import Lines, Tree
from aipipe.past.walk import Row, Walk

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
NAME = "walk.json.z"
MOST = 2_000_000_000
"""Bytes that a kept walk may unfold to; a bomb is walked around."""


def save(walk: Walk, folder: Path) -> None:
    """Keep ``walk`` in ``folder``; one that cannot be written is walked again next time."""
    data = zlib.compress(json.dumps(_document(walk), separators=(",", ":")).encode(), 3)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{NAME}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, folder / NAME)  # noqa: PTH105 - the pair of what mkstemp gave


def load(folder: Path) -> Walk | None:
    """Return the walk that is kept in ``folder``; None where there is none that can be read."""
    try:
        unfold = zlib.decompressobj()
        text = unfold.decompress((folder / NAME).read_bytes(), MOST)
        found = json.loads(text)
        return _walk(found) if found["version"] == VERSION else None
    except (OSError, ValueError, zlib.error, KeyError, TypeError, IndexError, RecursionError):
        return None


def _document(walk: Walk) -> dict[str, Any]:
    pool: dict[int, int] = {}
    lines: list[list[str]] = []
    trees = {}
    for name, tree in walk.trees.items():
        trees[name] = {path: _pooled(found, pool, lines) for path, found in tree.items()}
    names = list(next(iter(walk.rows.values())).measures) if walk.rows else []
    return {
        "version": VERSION,
        "last": walk.last,
        "times": walk.times,
        "writers": walk.writers,
        "names": list(walk.numbers),
        "faulty": sorted(walk.faulty),
        "memory": asdict(walk.memory),
        "measures": names,
        "rows": [
            [
                row.number,
                row.found,
                row.found_by,
                row.paths,
                [round(row.measures[name], 4) for name in names],
            ]
            for row in walk.rows.values()
        ],
        "lines": lines,
        "trees": trees,
    }


def _pooled(found: Lines, pool: dict[int, int], lines: list[list[str]]) -> int:
    """Return the number of ``found``: most files are the same in most trees."""
    if id(found) not in pool:
        pool[id(found)] = len(lines)
        lines.append([_packed(found.origins), _packed(found.marks)])
    return pool[id(found)]


def _packed(values: array[int]) -> str:
    return base64.b85encode(zlib.compress(values.tobytes(), 1)).decode("ascii")


def _unpacked(text: str, code: str) -> array[int]:
    made: array[int] = array(code)
    made.frombytes(zlib.decompressobj().decompress(base64.b85decode(text), MOST))
    return made


def _walk(found: dict[str, Any]) -> Walk:
    lines = [Lines(_unpacked(o, "i"), _unpacked(m, "I")) for o, m in found["lines"]]
    trees: dict[str, Tree] = {
        name: {path: lines[number] for path, number in tree.items()}
        for name, tree in found["trees"].items()
    }
    walk = Walk(
        memory=_memory(found["memory"]),
        times=found["times"],
        writers=found["writers"],
        faulty=set(found["faulty"]),
        numbers={name: number for number, name in enumerate(found["names"])},
        trees=trees,
        last=found["last"],
    )
    names = found["names"]
    for number, shown, by, paths, values in found["rows"]:
        measures = dict(zip(found["measures"], values, strict=True))
        walk.rows[number] = Row(
            number,
            names[number],
            walk.times[number],
            walk.writers[number],
            measures,
            tuple(paths),
            shown,
            by,
        )
    return walk


def _memory(found: dict[str, Any]) -> Memory:
    return Memory(
        {path: FilePast(**_faded(past)) for path, past in found["files"].items()},
        {name: AuthorPast(**_faded(past)) for name, past in found["authors"].items()},
        ProjectPast(**_faded(found["project"])),
    )


def _faded(past: dict[str, Any]) -> dict[str, Any]:
    return {
        key: Fading(**value)
        if isinstance(value, dict) and set(value) == {"value", "time"}
        else value
        for key, value in past.items()
    }
