"""An image that an engine has saved: its layers, where they come from, its configuration."""

from __future__ import annotations

import json
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aipipe_build.image.layer import Layer, read_layer
from aipipe_build.image.tree import Tree, lay
from aipipe_build.run.argv import Command
from aipipe_build.run.failure import engine_down, is_down
from aipipe_build.run.process import run_quietly
from aipipe_core.errors import RequestError, SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


@dataclass(slots=True)
class Image:
    """What an image holds. ``made_by`` is the instruction behind each layer, "" where unknown."""

    reference: str
    identity: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...]
    made_by: tuple[str, ...]
    tree: Tree = field(default_factory=Tree)

    @property
    def size(self) -> int:
        """The bytes of all layers' files: what the image takes, unpacked."""
        return sum(layer.size for layer in self.layers)

    @property
    def efficiency(self) -> float:
        """The share of those bytes that a container can see."""
        return self.tree.size / self.size if self.size else 1.0


def save_command(reference: str, archive: Path) -> Command:
    """Return the command that writes an image into an archive."""
    return Command(("docker", "save", f"--output={archive}", reference))


def load_image(
    reference: str, folder: Path, *, known: MutableMapping[str, Layer] | None = None
) -> Image:
    """Return an image of the engine's. ``known`` layers, by digest, are not read again.

    Raises ``engine-down``, ``image-missing``, ``image-unreadable``.
    """
    with tempfile.TemporaryDirectory(prefix="aipipe-image-") as name:
        archive = Path(name, "image.tar")
        ended = run_quietly(save_command(reference, archive), folder)
        if ended.code:
            said = " ".join(ended.said.split())[-200:]
            if is_down(ended.said):
                raise engine_down(said)
            raise SurroundingsError(
                "image-missing",
                f"the engine does not give the image away: {said}",
                where=reference,
                hint="Build or pull it first; DOCKER_HOST says which engine is asked.",
            )
        return read_archive(archive, reference, known=known)


def read_archive(
    archive: Path, reference: str = "", *, known: MutableMapping[str, Layer] | None = None
) -> Image:
    """Return the image in what ``docker save`` has written. Raises ``image-unreadable``."""
    seen = {} if known is None else known
    where = reference or str(archive)
    try:
        with tarfile.open(archive) as outer:
            manifest = _json(outer, "manifest.json")[0]
            config = _json(outer, manifest["Config"])
            diffs = list((config.get("rootfs") or {}).get("diff_ids") or ())
            layers = []
            for index, path in enumerate(manifest["Layers"]):
                digest = diffs[index] if index < len(diffs) else path
                if digest not in seen:
                    seen[digest] = read_layer(_member(outer, path), digest, where=where)
                layers.append(seen[digest])
    except (tarfile.TarError, OSError, KeyError, IndexError, TypeError, ValueError) as error:
        raise _unreadable(where, error) from error
    return Image(
        reference=reference,
        identity=str(manifest["Config"]).rpartition("/")[2].removesuffix(".json"),
        config=config,
        layers=tuple(layers),
        made_by=_made_by(config, len(layers)),
        tree=lay(layers),
    )


def _unreadable(where: str, error: Exception) -> RequestError:
    return RequestError(
        "image-unreadable",
        f"this is no image that an engine has saved: {error}",
        where=where,
        hint="Write it with docker save.",
    )


def _json(outer: tarfile.TarFile, name: str) -> Any:
    return json.loads(_member(outer, name).read())


def _member(outer: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = outer.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream


def _made_by(config: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return the instruction behind each layer; the history also has rows without one."""
    rows = [row for row in config.get("history") or () if not row.get("empty_layer")]
    texts = [_instruction(str(row.get("created_by") or row.get("comment") or "")) for row in rows]
    return tuple([*texts, *[""] * count][:count])


def _instruction(text: str) -> str:
    """Return what a person wrote; the engine puts its own shell and marks around it."""
    flat = " ".join(text.split())
    for mark in ("/bin/sh -c #(nop) ", "|0 ", "# buildkit"):
        flat = flat.replace(mark, "")
    return flat.replace("RUN /bin/sh -c ", "RUN ").strip()
