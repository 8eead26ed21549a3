"""Look around: the context's files, its ignore file, its history, its base images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_build.context.local import main_matcher
from aipipe_build.context.tree import ContextTree
from aipipe_build.optimise.history import changes_of
from aipipe_build.optimise.situation import Base, Situation
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.workshop import Workshop
    from aipipe_build.request import BuildRequest

_LARGEST_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """The files that a rewrite would replace. ``ignore`` is None where there is none."""

    dockerfile: Path
    ignore_file: Path
    text: str
    ignore: str | None


def place_of(request: BuildRequest) -> Place:
    """Read what is there. Raises ``dockerfile-missing``, ``context-missing``."""
    if not request.context.is_dir():
        raise RequestError(
            "context-missing", "there is no such build context", where=str(request.context)
        )
    text = _text(request.dockerfile)
    if text is None:
        raise RequestError(
            "dockerfile-missing",
            "the Dockerfile cannot be read",
            where=str(request.dockerfile),
            hint="Name another one with --file.",
        )
    own = request.dockerfile.with_name(request.dockerfile.name + ".dockerignore")
    path = own if own.is_file() else request.context / ".dockerignore"
    return Place(request.dockerfile, path, text, _text(path))


def look(place: Place, request: BuildRequest, workshop: Workshop, image: Image) -> Situation:
    """Return what the rules may look at. Raises what a context that cannot be read raises."""
    tree = ContextTree(str(request.context), main_matcher(request))
    files = frozenset(entry.path for entry in tree.walk(tree.root) if not entry.is_dir)
    engine = workshop.engine
    known: dict[str, Base] = {}

    def base(reference: str) -> Base:
        if reference not in known:
            known[reference] = _base(reference, engine.image(reference) if reference else None)
        return known[reference]

    return Situation(
        text=place.text,
        target=request.target,
        files=files,
        ignore=place.ignore,
        read=lambda path: _text(request.context / path),
        changed=changes_of(request.context),
        base=base,
        image=image,
        bare=workshop.bare,
    )


def _base(reference: str, document: Mapping[str, Any] | None) -> Base:
    if document is None:
        return Base()
    name = reference.partition("@")[0]
    tail = name.rpartition("/")[2]
    name = name[: len(name) - len(tail)] + tail.partition(":")[0]
    digests = [str(one).partition("@") for one in document.get("RepoDigests") or ()]
    own = [digest for repository, _, digest in digests if repository.endswith(name)]
    return Base(
        digest=own[0] if own else "",
        user=str((document.get("Config") or {}).get("User") or ""),
        layers=len((document.get("RootFS") or {}).get("Layers") or ()),
    )


def _text(path: Path) -> str | None:
    """Return a file's text, every byte kept; None where it cannot be read."""
    try:
        if path.stat().st_size > _LARGEST_READ:
            return None
        return path.read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError:
        return None
