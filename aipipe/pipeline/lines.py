"""YAML with its line numbers: the content, and the line on which each part of it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_BYTES = 1_000_000
MOST_NODES = 100_000
"""Nodes after aliases are followed: a few lines of nested aliases unfold to billions."""

Place: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Lines:
    """``content`` as plain data; ``keys`` and ``values`` hold 1-based lines by place."""

    path: str
    content: Any = None
    keys: dict[Place, int] = field(default_factory=dict)
    values: dict[Place, int] = field(default_factory=dict)

    def of(self, place: Sequence[str | int]) -> int:
        """Return the line of the key at ``place``, or of the nearest thing around it."""
        wanted = tuple(place)
        while wanted:
            line = self.keys.get(wanted) or self.values.get(wanted)
            if line:
                return line
            wanted = wanted[:-1]
        return self.values.get((), 1)

    def where(self, place: Sequence[str | int]) -> str:
        """Return file and line, as errors name them."""
        return f"{self.path}, line {self.of(place)}"


def read_lines(path: Path, name: str, *, what: str) -> Lines:
    """Return the YAML of ``path``, which errors call ``name``; ``what`` begins their slugs.

    Raises ``RequestError``: ``<what>-missing``, ``<what>-unreadable``, ``<what>-not-yaml``,
    ``<what>-key-twice``.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise RequestError(
            f"{what}-missing",
            f"There is no {name}",
            where=str(path.parent),
            hint="`aipipe init` writes one; or name another file.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(what, name, _reason(error)) from error
    if len(data) > MOST_BYTES:
        raise _unreadable(what, name, f"it has more than {MOST_BYTES:,} bytes")
    return _Reader(name, what).read(text)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return error.strerror or type(error).__name__


def _unreadable(what: str, name: str, why: str) -> RequestError:
    return RequestError(
        f"{what}-unreadable", f"{name} cannot be read: {why}", hint="It is a text file in UTF-8."
    )


class _Reader:
    """Turns YAML nodes into data, noting the lines on the way."""

    def __init__(self, name: str, what: str) -> None:
        self.lines = Lines(name)
        self.what = what
        self.nodes = 0
        self.open: set[int] = set()

    def read(self, text: str) -> Lines:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                self.lines.content = self._value(loader, node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._not_yaml(str(error.problem), mark.line + 1 if mark else 1) from error
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise self._not_yaml(str(error) or type(error).__name__, 1) from error
        finally:
            loader.dispose()
        return self.lines

    def _not_yaml(self, why: str, line: int) -> RequestError:
        return RequestError(
            f"{self.what}-not-yaml",
            f"This is not valid YAML: {why}",
            where=f"{self.lines.path}, line {line}",
            hint="Mend it there.",
        )

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node, place: Place) -> Any:
        self.nodes += 1
        line = node.start_mark.line + 1
        if self.nodes > MOST_NODES:
            raise self._not_yaml(f"its aliases unfold to more than {MOST_NODES:,} parts", line)
        if id(node) in self.open:
            raise self._not_yaml("an alias holds itself", line)
        self.lines.values[place] = line
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(loader, node, place)
            if isinstance(node, yaml.SequenceNode):
                return [self._value(loader, item, (*place, n)) for n, item in enumerate(node.value)]
            return loader.construct_object(node, deep=True)
        finally:
            self.open.discard(id(node))

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, place: Place) -> Any:
        self._refuse_doubles(loader, node)
        loader.flatten_mapping(node)
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(loader, key_node)
            inner = (*place, key)
            made[key] = self._value(loader, value_node, inner)
            self.lines.keys[inner] = key_node.start_mark.line + 1
        return made

    def _key(self, loader: yaml.SafeLoader, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._not_yaml("a key is not a word", node.start_mark.line + 1)
        key = loader.construct_object(node, deep=True)
        # YAML 1.1 reads a bare `on`, `yes` or `3.10` as something else than it says.
        return key if isinstance(key, str) else str(node.value)

    def _refuse_doubles(self, loader: yaml.SafeLoader, node: yaml.MappingNode) -> None:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = self._key(loader, key_node), key_node.start_mark.line + 1
            if key in seen:
                raise RequestError(
                    f"{self.what}-key-twice",
                    f"{key!r} stands twice, first in line {seen[key]}",
                    where=f"{self.lines.path}, line {line}",
                    hint="Keep one of them.",
                )
            seen[key] = line
