"""Where a finished image goes: names, a registry, the files that docker build would write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_build.run.argv import load_command, push_command, tag_command
from aipipe_build.run.process import run_quietly
from aipipe_build.run.requests import makes_image
from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    import argparse

    from aipipe_build.engine.client import EngineClient
    from aipipe_build.run.argv import Command, Reproducible


def can_retag(image: str, options: argparse.Namespace, engine: EngineClient) -> bool:
    """Tell whether an image that was built before is still there and is all that is asked for."""
    return bool(image) and makes_image(options) and engine.image(image) is not None


def retag(image: str, options: argparse.Namespace, folder: Path) -> None:
    """Give ``image`` the tags that were asked for. Raises ``image-not-delivered``."""
    for tag in options.tag or ():
        _must(tag_command(image, tag), folder)
    _push(options, folder)
    _copies(options, image, {"containerimage.digest": image})


def take_delivery(
    options: argparse.Namespace, metadata: Path, how: Reproducible | None, folder: Path
) -> str:
    """Bring home what a build has made and return the image's digest, "" for no image."""
    try:
        told: dict[str, Any] = json.loads(metadata.read_bytes())
    except (OSError, ValueError):
        told = {}
    image = str(told.get("containerimage.digest", ""))
    if how is not None and how.archive is not None:
        _must(load_command(how.archive), folder)
        _push(options, folder)
    _copies(options, image, told)
    return image if makes_image(options) else ""


def _push(options: argparse.Namespace, folder: Path) -> None:
    wanted = options.push and str(options.push[-1] or "true").lower() != "false"
    for tag in (options.tag or ()) if wanted else ():
        _must(push_command(tag), folder)


def _copies(options: argparse.Namespace, image: str, told: dict[str, Any]) -> None:
    """Write the files that ``docker build`` writes on request."""
    for name, text in (
        (options.iidfile, image),
        (options.metadata_file, json.dumps(told, indent=2) + "\n"),
    ):
        for path in name or ():
            try:
                Path(path).write_text(text, encoding="utf-8")
            except OSError as error:
                raise SurroundingsError(
                    "image-not-delivered", f"cannot be written: {error.strerror}", where=path
                ) from error


def _must(command: Command, folder: Path) -> None:
    ended = run_quietly(command, folder)
    if ended.code:
        said = " ".join(ended.said.split())[-300:]
        raise SurroundingsError(
            "image-not-delivered",
            f"{' '.join(command.argv[:2])} failed: {said}",
            hint="The image was built; only its delivery failed.",
        )
