"""Two images side by side: files, configuration, packages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import parse_trigger
from aipipe_build.image.packages import installed, module_of, owned_paths
from aipipe_build.optimise.harmless import GONE, NEW, OTHER, covering
from aipipe_build.optimise.shell import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aipipe_build.image.archive import Image
    from aipipe_build.image.entry import Entry
    from aipipe_build.image.packages import Package
    from aipipe_build.optimise.proposal import Effects

FIELDS = (
    "Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "Labels",
    "Healthcheck", "StopSignal", "Shell", "OnBuild", "ArgsEscaped",
)  # fmt: skip
"""What of an image's configuration a container can notice."""
_SHARED = (
    "var/lib/dpkg/",
    "var/cache/debconf/",
    "etc/ld.so.cache",
    "var/lib/apt/extended_states",
    "usr/share/info/dir",
)
"""Files that every system package adds to."""
_APT_ALONE = ("etc/", "usr/", "var/lib/")
_APT_AND_PIP = ("etc/", "usr/lib/", "usr/share/", "var/lib/")
_PYTHONS = re.compile(r"/(?:site|dist)-packages(?:/|$)")
"""The folders where apt alone makes files; where pip is beside it; what is pip's even there."""


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs. ``way`` is gone, new or other; ``text`` says it in words.

    ``content`` says that nothing but the content is another.
    """

    path: str
    way: str
    text: str
    content: bool = False


@dataclass(slots=True)
class Comparison:
    """What differs, apart from what is allowed; ``allowed`` counts that by its reason."""

    changes: list[Change] = field(default_factory=list)
    allowed: Counter[str] = field(default_factory=Counter)

    @property
    def equal(self) -> bool:
        """Whether nothing differs that is not allowed."""
        return not self.changes


def compare_images(
    before: Image, after: Image, effects: Effects, *, noise: Iterable[str] = ()
) -> Comparison:
    """Compare two images. ``noise`` are paths whose content differs from build to build."""
    found = Comparison()
    gone = _packages(before, after, effects, found)
    _config(before.config.get("config") or {}, after.config.get("config") or {}, effects, found)
    for name in ("architecture", "os"):
        if before.config.get(name) != after.config.get(name):
            found.changes.append(_of_config(name, before.config.get(name), after.config.get(name)))
    loud = frozenset(noise)
    owned = owned_paths(before.tree, gone) if gone else set()
    owned |= _links_to_alternatives(before.tree.entries) if gone else set()
    owned |= _made_by_apt(before) if gone else set()
    for change in tree_changes(before.tree.entries, after.tree.entries):
        reason = covering(change.path, change.way, effects.files)
        if not reason and change.path in loud and change.content:
            reason = "differs between two builds of the original"
        if not reason and _is_of_bases(change.path, before, after, effects):
            reason = "the base image's own files"
        if not reason and gone and _belongs_to_packages(change, owned):
            reason = "files of packages that were only there to build"
        if reason:
            found.allowed[reason] += 1
        else:
            found.changes.append(change)
    return found


def _is_of_bases(path: str, before: Image, after: Image, effects: Effects) -> bool:
    old, new = before.tree.entries.get(path), after.tree.entries.get(path)
    return effects.swap is not None and effects.swap.explains(path, old, new)


def tree_changes(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[Change]:
    """Yield every path that is not the same in both, in their order."""
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is None:
            yield Change(path, NEW, f"/{path}: only in the new image")
        elif new is None:
            yield Change(path, GONE, f"/{path}: missing in the new image")
        elif said := _difference(old, new):
            # The layer that a file comes from is nothing that a container can see.
            same = replace(new, digest=old.digest, size=old.size, layer=old.layer) == old
            yield Change(path, OTHER, f"/{path}: {said}", content=same and old.kind == "f")


def _difference(old: Entry, new: Entry) -> str:
    if old.kind != new.kind:
        return f"kind {old.permissions} became {new.permissions}"
    if old.mode != new.mode:
        return f"mode {old.permissions} became {new.permissions}"
    if (old.uid, old.gid) != (new.uid, new.gid):
        return f"owner {old.owner} became {new.owner}"
    if old.link != new.link:
        return f"points to {new.link}, not to {old.link}"
    if old.digest != new.digest:
        return f"other content ({old.size} and {new.size} bytes)"
    if old.xattrs != new.xattrs:
        return "other extended attributes"
    return ""


def _packages(before: Image, after: Image, effects: Effects, found: Comparison) -> set[str]:
    """Compare what is installed; return the system packages that went and were allowed to."""
    old, new = _by_name(installed(before.tree)), _by_name(installed(after.tree))
    gone: set[str] = set()
    for key in sorted(old.keys() | new.keys()):
        here, there = old.get(key, ""), new.get(key, "")
        if here == there:
            continue
        ecosystem, name = key
        if ecosystem == "Debian" and not there and name in effects.packages:
            gone.add(name)
            found.allowed["packages that were only there to build"] += 1
            continue
        if ecosystem == "PyPI" and not there and _is_bases_own(key, before, after, effects):
            found.allowed["the base image's own distributions"] += 1
            continue
        said = f"{name} {here}: missing" if not there else f"{name} {there}: new"
        if here and there:
            said = f"{name}: {here} became {there}"
        found.changes.append(Change(f"package:{name}", OTHER, f"{ecosystem} package {said}"))
    return gone


def _is_bases_own(key: tuple[str, str], before: Image, after: Image, effects: Effects) -> bool:
    """Tell whether a distribution stood in the base alone, and so in no file of the project's."""
    return all(
        _is_of_bases(one.path, before, after, effects)
        for one in installed(before.tree)
        if (one.ecosystem, one.name) == key
    )


def bases_own_modules(before: Image, after: Image, effects: Effects) -> set[str]:
    """Return the modules that the old base image had, and the new one has not."""
    if effects.swap is None:
        return set()
    return {
        name
        for path in before.tree.entries.keys() - after.tree.entries.keys()
        if (name := module_of(path)) and _is_of_bases(path, before, after, effects)
    }


def _by_name(packages: Iterable[Package]) -> dict[tuple[str, str], str]:
    rows: dict[tuple[str, str], list[str]] = {}
    for one in packages:
        rows.setdefault((one.ecosystem, one.name), []).append(one.version)
    return {key: ", ".join(sorted(versions)) for key, versions in rows.items()}


def _config(
    before: Mapping[str, Any], after: Mapping[str, Any], effects: Effects, found: Comparison
) -> None:
    for name in FIELDS:
        old, new = before.get(name) or None, after.get(name) or None
        if old == new:
            continue
        if name in effects.config:
            found.allowed[f"the image's {name}, as proposed"] += 1
        else:
            found.changes.append(_of_config(name, old, new))


def _of_config(name: str, old: object, new: object) -> Change:
    return Change(f"config:{name}", OTHER, f"the image's {name}: {old!r} became {new!r}")


def _belongs_to_packages(change: Change, owned: set[str]) -> bool:
    """Tell whether a path may differ because build packages are no longer there.

    It is theirs by dpkg's own lists, a step of apt alone made it, or it is one of the few files
    that all packages share.
    """
    path = change.path
    if path.startswith(_SHARED):
        return True
    if change.way != GONE:
        return False
    return path in owned or path.startswith("etc/alternatives/")


def _links_to_alternatives(entries: Mapping[str, Entry]) -> set[str]:
    """Return the links that update-alternatives(1) has made; they go with their targets."""
    return {
        path
        for path, entry in entries.items()
        if entry.kind == "l" and entry.link.startswith("/etc/alternatives/")
    }


def _made_by_apt(image: Image) -> set[str]:
    """Return what the system's folders have from steps that installed with apt.

    Packages also make files while they are configured, which no list of dpkg's has. What a step
    of apt alone made and is missing now, no package that was kept makes. Where pip ran in the
    same step, what may be its own does not count.
    """
    steps = {index: _apt_folders(text) for index, text in enumerate(image.made_by)}
    return {
        path
        for path, entry in image.tree.entries.items()
        if (folders := steps.get(entry.layer)) and path.startswith(folders)
        if folders is _APT_ALONE or not _PYTHONS.search(path)
    }


def _apt_folders(text: str) -> tuple[str, ...]:
    """Return the folders where what a RUN made was made by apt."""
    if not text.startswith("RUN "):
        return ()
    try:
        commands = commands_of(parse_trigger(text)) or ()
    except DockerfileError:
        return ()
    if not any(one.is_apt for one in commands):
        return ()
    rest = [one for one in commands if not (one.is_apt or one.cleans_lists)]
    if not rest:
        return _APT_ALONE
    return _APT_AND_PIP if all(c.is_pip_install or c.cleans_caches for c in rest) else ()
