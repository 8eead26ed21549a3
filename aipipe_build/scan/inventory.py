"""What is to be scanned: what an image holds, and what requirement files will install."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_build.image.archive import load_image, read_archive
from aipipe_build.image.packages import installed, os_release
from aipipe_build.scan.requirements import find_files, read_requirements
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_build.image.packages import Package
    from aipipe_build.image.tree import Tree

_FAMILIES = {"debian": "Debian", "ubuntu": "Ubuntu"}


@dataclass(frozen=True, slots=True)
class Inventory:
    """The packages, and what they are the packages of."""

    name: str
    packages: tuple[Package, ...]


def take_inventory(image: str, files: Sequence[str], folder: Path, *, only: str = "") -> Inventory:
    """Return what is to be scanned. ``only`` is ``python`` or ``system``, "" for both.

    ``image`` is a reference, or an archive that ``docker save`` wrote. Raises
    ``image-missing``, ``image-unreadable``, ``requirements-unreadable``, ``scan-nothing-named``.
    """
    packages: list[Package] = []
    paths = [Path(name) for name in files]
    if image:
        archive = Path(image)
        found = read_archive(archive) if archive.is_file() else load_image(image, folder)
        packages += packages_of(found.tree)
    elif not paths:
        paths = [path.relative_to(folder) for path in find_files(folder)]
        if not paths:
            raise RequestError(
                "scan-nothing-named",
                "there is nothing to scan: no image is named, and no requirement or lock file "
                "is here",
                where=str(folder),
                hint="Name an image, or files with --requirements.",
            )
    for path in paths:
        packages += read_requirements(path)
    return Inventory(
        image or ", ".join(map(str, paths)),
        tuple(one for one in sorted(set(packages)) if _wanted(one, only)),
    )


def packages_of(tree: Tree) -> list[Package]:
    """Return what is installed in an image, system packages under their release's ecosystem."""
    release = os_release(tree)
    family = _FAMILIES.get(release.get("ID", ""), release.get("ID", "") or "Debian")
    version = release.get("VERSION_ID", "")
    if family == "Ubuntu" and "LTS" in release.get("VERSION", ""):
        version += ":LTS"
    ecosystem = f"{family}:{version}" if version else family
    return [
        package if package.ecosystem == "PyPI" else replace(package, ecosystem=ecosystem)
        for package in installed(tree)
    ]


def _wanted(package: Package, only: str) -> bool:
    return not only or (package.ecosystem == "PyPI") == (only == "python")
