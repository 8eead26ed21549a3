"""The images of a repository, and the order in which they build on each other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from aipipe_build.keys.reference import normalise_reference
from aipipe_build.run.argv import bake_command
from aipipe_build.run.process import run_quietly
from aipipe_core.change.git import run as run_git
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BAKE_FILES = (
    "docker-bake.json", "docker-bake.override.json", "docker-bake.hcl", "compose.yaml",
    "compose.yml", "docker-compose.yml", "docker-compose.yaml",
)  # fmt: skip
_DOCKERFILE = re.compile(r"(?:^|/)Dockerfile(?:\.(?P<name>[\w-]+))?$")
_LISTS = {
    "tags": "--tag", "secret": "--secret", "ssh": "--ssh", "cache-from": "--cache-from",
    "cache-to": "--cache-to", "platforms": "--platform", "output": "--output",
    "no-cache-filter": "--no-cache-filter", "ulimits": "--ulimit", "attest": "--attest",
    "annotations": "--annotation",
}  # fmt: skip
_PAIRS = {"args": "--build-arg", "labels": "--label", "extra-hosts": "--add-host"}
_WORDS = {"target": "--target", "network": "--network", "shm-size": "--shm-size"}
_SWITCHES = {"no-cache": "--no-cache", "pull": "--pull"}


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """One image: its name in the repository, and the words that ``docker build`` would take."""

    name: str
    words: tuple[str, ...]


def find_bake_file(root: Path) -> Path | None:
    """Return the bake or compose file that buildx itself would take, None for none."""
    return next((root / name for name in BAKE_FILES if (root / name).is_file()), None)


def read_bake(file: Path, targets: tuple[str, ...] = ()) -> list[ImageSpec]:
    """Return the images of a bake or compose file, read by buildx itself; no engine is needed.

    Raises ``images-unreadable``.
    """
    ended = run_quietly(bake_command(Path(file.name), targets), file.parent)
    problem = " ".join(ended.said.split())[-300:]
    try:
        document = json.loads(ended.output)
        return [_spec(name, row, document["target"]) for name, row in document["target"].items()]
    except (ValueError, KeyError) as error:
        raise RequestError(
            "images-unreadable",
            f"the list of images cannot be read: {problem if ended.code else error}",
            where=str(file),
            hint="See what docker buildx bake --print says.",
        ) from error


def _spec(name: str, row: Mapping[str, Any], targets: Mapping[str, Any]) -> ImageSpec:
    if row.get("dockerfile-inline"):
        raise ValueError(f"{name} has its Dockerfile inline: write it to a file")
    context = row.get("context") or "."
    words = [context, f"--file={PurePosixPath(context, row.get('dockerfile') or 'Dockerfile')}"]
    for key, option in _LISTS.items():
        words += [f"{option}={one}" for one in row.get(key) or ()]
    for key, option in _PAIRS.items():
        words += [_pair(option, one, value) for one, value in (row.get(key) or {}).items()]
    words += [f"{option}={row[key]}" for key, option in _WORDS.items() if row.get(key)]
    words += [option for key, option in _SWITCHES.items() if row.get(key)]
    for key, source in (row.get("contexts") or {}).items():
        words.append(f"--build-context={key}={_source(name, source, targets)}")
    return ImageSpec(name, tuple(words))


def _pair(option: str, name: str, value: object) -> str:
    return f"{option}={name}" if value is None else f"{option}={name}={value}"


def _source(name: str, source: str, targets: Mapping[str, Any]) -> str:
    """Return where a named context comes from; another image stands for itself by its tag."""
    if not source.startswith("target:"):
        return source
    tags = targets.get(source.removeprefix("target:"), {}).get("tags") or ()
    if not tags:
        raise ValueError(f"{name} stands on {source}, which has no tag to be named by")
    return f"docker-image://{tags[0]}"


def find_dockerfiles(root: Path) -> list[ImageSpec]:
    """Return an image for each Dockerfile that git knows: its folder is its context and its name.

    ``Dockerfile.worker`` is named ``worker``.
    """
    listing = run_git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    specs: dict[str, ImageSpec] = {}
    for path in sorted(listing.text.split("\0")):
        found = _DOCKERFILE.search(path)
        if not found or found["name"] == "dockerignore" or not (root / path).is_file():
            continue
        folder = PurePosixPath(path).parent
        name = (found["name"] or folder.name or root.resolve().name).lower()
        if name in specs:
            raise RequestError(
                "images-unreadable",
                f"two images would be named {name}",
                where=path,
                hint="List them in a docker-bake.hcl or compose.yaml.",
            )
        specs[name] = ImageSpec(name, (str(folder), f"--file={path}", f"--tag={name}"))
    return list(specs.values())


def build_order(needs: Mapping[str, Iterable[str]], tags: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the names in an order in which each comes after what it stands on.

    ``needs`` are full image references by name, ``tags`` what each image is called.
    Raises ``images-cycle``.
    """
    import graphlib

    owner = {normalise_reference(tag): name for name, own in tags.items() for tag in own}
    above = {
        name: sorted({owner[one] for one in wanted if one in owner} - {name})
        for name, wanted in needs.items()
    }
    try:
        return list(graphlib.TopologicalSorter(above).static_order())
    except graphlib.CycleError as error:
        circle = " -> ".join(error.args[1])
        raise RequestError(
            "images-cycle", f"images build on each other in a circle: {circle}"
        ) from error


def stands_on(needs: Iterable[str], tags: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the names of the images that one directly stands on."""
    owner = {normalise_reference(tag): name for name, own in tags.items() for tag in own}
    return {owner[one] for one in needs if one in owner}
