"""The graph of a build: vertices, what they read, and the steps that a user sees.

The shape is BuildKit's low-level build graph, reduced to what its cache keys are made of.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from aipipe_build.light import field, light

if TYPE_CHECKING:
    from aipipe_build.context.digest import Selector

Op: TypeAlias = tuple[Any, ...]


class Source(StrEnum):
    """Where a vertex without inputs takes its content from."""

    IMAGE = "image"
    HTTP = "http"
    GIT = "git"
    LOCAL = "local"


@light(frozen=True, eq=False)
class Vertex:
    """A node of the graph.

    ``op`` is all of it that counts for the cache, its inputs aside, with a name for each
    part so that a miss can be explained. ``ignore_cache`` makes it run in any case.
    ``uncertain`` says why its identity cannot be known, "" where it can; ``fresh`` marks a
    source that never hits.
    """

    kind: str
    op: Op
    inputs: tuple[Input, ...] = ()
    ignore_cache: bool = False
    uncertain: str = ""
    fresh: bool = False

    @property
    def op_digest(self) -> str:
        """The digest of ``op``."""
        text = json.dumps([self.kind, self.op], ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@light(frozen=True, eq=False)
class Input:
    """One input of a vertex.

    Content that is known now stands in ``content``. ``by_content`` without it means that the
    builder compares what the vertex made, which only the builder can see.
    """

    vertex: Vertex | None = None
    content: str = ""
    by_content: bool = False
    selectors: tuple[Selector, ...] = ()
    context: str | None = None
    """The name of the local context that ``content`` was read from, "" for the main one."""


@light(frozen=True)
class Step:
    """A line of BuildKit's progress that belongs to a RUN, COPY, ADD or WORKDIR."""

    stage: str
    line: int
    instruction: str
    keyword: str
    vertex: Vertex
    end_line: int = 0


@light(frozen=True)
class ImageConfig:
    """The part of an image's configuration that a build on top of it inherits."""

    env: tuple[tuple[str, str], ...] = ()
    working_dir: str = ""
    user: str = ""
    shell: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    rest: str = ""
    """A digest of everything else: labels, command, ports, ..."""


@light(frozen=True)
class BaseImage:
    """An image that a FROM or ``--from`` names.

    ``identity`` stands for its layers, "" where nobody could tell. ``assumed`` says that it
    is what was recorded for the name and that nothing looked at it now. ``recorded_at`` is
    a POSIX time, 0 for what was not recorded.
    """

    reference: str
    identity: str = ""
    config: ImageConfig | None = None
    assumed: bool = False
    recorded_at: float = 0.0


@light(frozen=True)
class BuildGraph:
    """A whole build: its steps in the order of the file, the target's last vertex."""

    steps: tuple[Step, ...]
    head: Vertex | None
    config: str
    """A digest of the resulting image's configuration."""
    images: dict[str, BaseImage] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
