"""What is installed in an image: Debian packages and Python distributions."""

from __future__ import annotations

import email.parser
import email.policy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aipipe_build.image.tree import Tree

_NAME = re.compile(r"[-_.]+")
_MODULE = re.compile(r"/(?:site|dist)-packages/(\w+)(?:/__init__\.py|\.py|(?:\.[\w-]+)?\.so)$")


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One installed thing. ``ecosystem`` is OSV's word: ``PyPI``, ``Debian``.

    ``source`` is the source package's name and ``source_version`` its version, which Debian's
    advisories speak of; ``version`` is empty where the metadata have none. ``path`` says where
    that was read.
    """

    ecosystem: str
    name: str
    version: str
    path: str = ""
    source: str = ""
    source_version: str = ""
    depends: tuple[str, ...] = ()
    section: str = ""

    @property
    def key(self) -> str:
        """``name version``, as a list shows it."""
        return f"{self.name} {self.version or '(no version)'}"

    @property
    def subject(self) -> tuple[str, str]:
        """The name and the version that advisories speak of: the source's, where it has one."""
        return self.source or self.name, self.source_version or self.version


def normalised(name: str) -> str:
    """Return a distribution's name as the index spells it (PEP 503)."""
    return _NAME.sub("-", name).lower()


def module_of(path: str) -> str:
    """Return the module that a file of an image is the beginning of, "" for none."""
    found = _MODULE.search(path)
    return found[1] if found else ""


def installed(tree: Tree) -> list[Package]:
    """Return what the package lists in ``tree`` name, sorted."""
    return sorted(set(_all(tree.texts)))


def owned_paths(tree: Tree, names: Iterable[str]) -> set[str]:
    """Return the paths that these Debian packages have installed, as dpkg has noted them."""
    wanted = set(names)
    return {path for path, name in _owned(tree) if name in wanted}


def owners(tree: Tree) -> dict[str, str]:
    """Return the Debian package that a path belongs to, for every path that dpkg has noted."""
    return dict(_owned(tree))


def _owned(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield paths with their package.

    Where ``/lib`` is a link into ``/usr``, as on Debian today, dpkg still writes ``/lib``.
    """
    merged = {
        name: f"usr/{name}"
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
        if (found := tree.entries.get(name)) is not None and found.kind == "l"
    }
    for path, data in tree.texts.items():
        if path.startswith("var/lib/dpkg/info/") and path.endswith(".list"):
            package = path.rpartition("/")[2].removesuffix(".list").partition(":")[0]
            for line in data.decode("utf-8", "replace").splitlines():
                first, slash, rest = line.strip("/").partition("/")
                yield f"{merged.get(first, first)}{slash}{rest}", package


def os_release(tree: Tree) -> dict[str, str]:
    """Return the fields of ``/etc/os-release``, empty where there is none."""
    text = tree.texts.get("etc/os-release") or tree.texts.get("usr/lib/os-release") or b""
    pairs = (line.partition("=") for line in text.decode("utf-8", "replace").splitlines())
    return {name: value.strip("\"'") for name, equals, value in pairs if equals}


def _all(texts: Mapping[str, bytes]) -> Iterator[Package]:
    for path, data in texts.items():
        text = data.decode("utf-8", "replace")
        if path.startswith("var/lib/dpkg/status"):
            yield from debian_packages(text, path)
        elif path.endswith(("/METADATA", "/PKG-INFO", ".egg-info")):
            found = python_distribution(text, path)
            if found is not None:
                yield found


def python_distribution(text: str, path: str) -> Package | None:
    """Return the distribution that a metadata file describes, None where it names none."""
    parser = email.parser.HeaderParser(policy=email.policy.compat32)
    head = parser.parsestr(text.replace("\r\n", "\n"))
    name = str(head.get("Name") or "").strip()
    if not name:
        # The folder's own name is what is left: not to be counted would be a clean bill.
        folder = path.split("/")[-2] if "/" in path else path
        name = re.split(r"-(?=\d)|\.(?:dist|egg)-info", folder)[0]
    if not name:
        return None
    return Package("PyPI", normalised(name), str(head.get("Version") or "").strip(), path)


def debian_packages(text: str, path: str) -> Iterator[Package]:
    """Yield the packages of a dpkg status file that are installed (deb-control(5))."""
    for block in re.split(r"\n\s*\n", text):
        fields = _fields(block.splitlines())
        status = fields.get("status", "install ok installed").split()
        if "package" not in fields or status[-1:] in (["config-files"], ["not-installed"]):
            continue
        version = fields.get("version", "")
        source, _, rest = fields.get("source", fields["package"]).partition(" ")
        yield Package(
            "Debian",
            fields["package"],
            version,
            path,
            source=source,
            source_version=rest.strip(" ()") or version,
            depends=_depends(fields),
            section=fields.get("section", "").rpartition("/")[2],
        )


def _fields(lines: Iterable[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        if line[:1] in (" ", "\t"):
            continue
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    return fields


def _depends(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that a package needs; the first of alternatives stands for all."""
    text = ",".join(fields.get(name, "") for name in ("pre-depends", "depends"))
    names = (re.split(r"[ (|:]", item.strip())[0] for item in text.split(","))
    return tuple(name for name in names if name)
