"""A bill of materials in CycloneDX's form, written by its own library."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from aipipe_build.image.packages import Package


def sbom(packages: Iterable[Package], *, name: str, now: dt.datetime) -> str:
    """Return the bill as CycloneDX 1.6 JSON. Raises ``sbom-not-installed``."""
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise SurroundingsError(
            "sbom-not-installed",
            "the package cyclonedx-python-lib is not installed",
            hint="Install it: pip install 'pytest-aipipe[build]'.",
        ) from error
    rows = sorted(set(packages))
    parts = [_component(package) for package in rows]
    whole = Component(name=name, type=ComponentType.CONTAINER, bom_ref="subject")
    bom = Bom(components=parts)
    bom.metadata.component = whole
    bom.register_dependency(whole, parts)
    bom.metadata.timestamp = now.astimezone(dt.UTC)
    listing = "\n".join(f"{p.ecosystem} {p.name} {p.version}" for p in rows)
    # The same packages give the same number.
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}\n{listing}")
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    return text + "\n"


def _component(package: Package) -> Any:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    family, _, release = package.ecosystem.partition(":")
    if package.ecosystem == "PyPI":
        url = PackageURL("pypi", None, package.name, package.version or None)
    else:
        distribution = family.lower()
        qualifiers = {"distro": f"{distribution}-{release}"} if release else None
        url = PackageURL("deb", distribution, package.name, package.version or None, qualifiers)
    return Component(
        name=package.name,
        version=package.version or None,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=f"{url}#{package.path}" if package.path else str(url),
    )
