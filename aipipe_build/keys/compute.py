"""Cache keys of vertices.

Three keys a vertex, from exact to blurred:

*exact* holds everything, and where it is on record the builder has the result;
*open* leaves out what other stages made, which the builder compares by content once they ran;
*blind* leaves out the base image's layers too, for when nobody could tell what they are.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from aipipe_build.keys.model import Source
from aipipe_build.light import field, light

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_build.keys.model import Input, Step, Vertex

_ANY = "*"


@light(frozen=True)
class Keys:
    """The keys of one vertex. ``doubt`` says why ``exact`` cannot be trusted, "" if it can."""

    exact: str
    open: str
    blind: str
    doubt: str = ""


@light()
class KeyRing:
    """Computes keys, each vertex once.

    The keys are those under which results are kept. A vertex whose kept key is in ``ignored``
    was told to ignore the cache and gets a key that nothing has; so does one that says the
    same in another stage, because the builder takes the two for one.
    """

    ignored: frozenset[str] = frozenset()
    _kept: KeyRing | None = None
    _known: dict[int, Keys] = field(default_factory=dict)
    _alive: list[Vertex] = field(default_factory=list)

    def keys(self, vertex: Vertex) -> Keys:
        """Return the keys of ``vertex``."""
        found = self._known.get(id(vertex))
        if found is None:
            found = self._compute(vertex)
            self._known[id(vertex)] = found
            self._alive.append(vertex)  # an id is only unique among the living
        return found

    def _compute(self, vertex: Vertex) -> Keys:
        if vertex.fresh:
            never = f"never:{id(vertex)}"
            return Keys(never, never, never)
        if self.ignored:
            self._kept = self._kept or KeyRing()
            kept = self._kept.keys(vertex).exact
            if kept in self.ignored:
                return Keys(f"never:{kept}", f"never:{kept}", f"never:{kept}")
        parts = [self._input(item) for item in vertex.inputs]
        own = vertex.op_digest
        blind_own = _ANY if vertex.kind == Source.IMAGE else own
        doubts = [vertex.uncertain, *(part.doubt for part in parts)]
        return Keys(
            exact=_digest(vertex.kind, own, [part.exact for part in parts]),
            open=_digest(vertex.kind, own, [part.open for part in parts]),
            blind=_digest(vertex.kind, blind_own, [part.blind for part in parts]),
            doubt=next((doubt for doubt in doubts if doubt), ""),
        )

    def _input(self, item: Input) -> Keys:
        if item.content:
            return Keys(item.content, item.content, item.content)
        if item.vertex is None:
            return Keys("nothing", "nothing", "nothing")
        keys = self.keys(item.vertex)
        selected = sorted(
            [one.path, one.wildcard, one.include, one.exclude] for one in item.selectors
        )
        exact = _digest("input", keys.exact, [json.dumps(selected)])
        if item.by_content:
            return Keys(exact, _ANY, _ANY, keys.doubt)
        return Keys(exact, keys.open, keys.blind, keys.doubt)


def distinct_steps(steps: Sequence[Step]) -> list[Step]:
    """Drop the steps that are the same vertex as an earlier one: the builder shows them once.

    Which of the stages it names then is left to chance there; here it is the first.
    """
    ring = KeyRing()
    seen: set[str] = set()
    kept: list[Step] = []
    for step in steps:
        # A vertex is the same when it says the same, not when it only reads the same bytes.
        said = [[item.context, [one.path for one in item.selectors]] for item in step.vertex.inputs]
        identity = json.dumps([ring.keys(step.vertex).exact, said])
        if identity not in seen:
            seen.add(identity)
            kept.append(step)
    return kept


def ignored_keys(steps: Sequence[Step]) -> frozenset[str]:
    """Return the kept keys of the steps that were told to ignore the cache."""
    ring = KeyRing()
    return frozenset(ring.keys(one.vertex).exact for one in steps if one.vertex.ignore_cache)


def _digest(kind: str, own: str, parts: list[str]) -> str:
    text = json.dumps([kind, own, parts])
    return hashlib.sha256(text.encode()).hexdigest()
