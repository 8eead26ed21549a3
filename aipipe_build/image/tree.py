"""The files of an image as a container sees them: its layers laid over each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_build.image.entry import Entry
    from aipipe_build.image.layer import Layer


@dataclass(slots=True)
class Tree:
    """What is visible, and what lies hidden in lower layers and is carried all the same."""

    entries: dict[str, Entry] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The shared libraries that programs and libraries ask the linker for."""
    hidden: list[Entry] = field(default_factory=list)
    """Files that a higher layer replaced or removed: bytes that nobody can reach."""

    @property
    def size(self) -> int:
        """The bytes of the visible files."""
        return sum(entry.size for entry in self.entries.values())

    @property
    def wasted(self) -> int:
        """The bytes of the hidden ones."""
        return sum(entry.size for entry in self.hidden)


def lay(layers: Sequence[Layer]) -> Tree:
    """Return the tree that ``layers`` make, the lowest first."""
    tree = Tree()
    for index, layer in enumerate(layers):
        for path in layer.emptied:
            _hide_below(tree, path)
        for path in layer.removed:
            _hide(tree, path)
            _hide_below(tree, path)
        for path, entry in layer.entries.items():
            before = tree.entries.get(path)
            if before is not None and before.kind == "d" and entry.kind != "d":
                _hide_below(tree, path)
            _hide(tree, path)
            tree.links.pop(path, None)
            tree.entries[path] = replace(entry, layer=index)
        tree.texts |= layer.texts
        tree.links |= layer.links
    tree.texts = {path: text for path, text in tree.texts.items() if path in tree.entries}
    tree.links = {path: names for path, names in tree.links.items() if path in tree.entries}
    return tree


def _hide(tree: Tree, path: str) -> None:
    entry = tree.entries.pop(path, None)
    if entry is not None and entry.size:
        tree.hidden.append(entry)


def _hide_below(tree: Tree, folder: str) -> None:
    prefix = f"{folder}/" if folder else ""
    for path in [path for path in tree.entries if path.startswith(prefix)]:
        _hide(tree, path)
