"""From a graph to the state that is recorded."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from aipipe_build.decide.requirements import is_manifest
from aipipe_build.keys.compute import KeyRing
from aipipe_build.light import light, replace
from aipipe_build.record.model import State, StepRecord
from aipipe_build.secrets import Mask, secret_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_build.context.local import LocalContexts
    from aipipe_build.keys.model import BuildGraph, Step
    from aipipe_build.record.store import RecordStore
    from aipipe_build.request import BuildRequest


_TEXT_LIMIT = 4 << 20


@light(frozen=True)
class Made:
    """What a build made: the image and the engine it is in, as far as they are known.

    ``alone`` says that the builder has lost what was recorded earlier.
    """

    image: str = ""
    engine: str = ""
    alone: bool = False


NOTHING_MADE = Made()


def make_state(
    graph: BuildGraph,
    request: BuildRequest,
    *,
    seconds: Mapping[str, float],
    at: float,
    made: Made = NOTHING_MADE,
) -> State:
    """Return the state of a build that succeeded. ``seconds`` is by instruction text."""
    ring = KeyRing()
    mask = Mask(secret_values([], request.build_args, {}))
    steps = (step_record(step, ring, seconds.get(step.instruction)) for step in graph.steps)
    return State(
        at=at,
        dockerfile=request.dockerfile.name,
        target=request.target,
        head=ring.keys(graph.head).exact if graph.head else "",
        config=graph.config,
        steps=tuple(_without_secrets(step, mask) for step in steps),
        image=made.image,
        engine=made.engine,
    )


def record_state(
    graph: BuildGraph,
    request: BuildRequest,
    *,
    store: RecordStore,
    contexts: LocalContexts,
    seconds: Mapping[str, float],
    merges: bool | None,
    made: Made = NOTHING_MADE,
) -> State:
    """Write a state down. Raises :class:`SurroundingsError`."""
    now = time.time()
    state = make_state(graph, request, seconds=seconds, at=now, made=made)
    images = {name: replace(image, recorded_at=now) for name, image in graph.images.items()}
    with store.writing():
        for step in state.steps:
            for content in step.contents:
                files = contexts.manifest(content)
                store.save_manifest(content, files)
                _keep_texts(files, request, store)
        contexts.save(sent=True)
        # The state comes last: what claims that it was built is there with all that it needs.
        store.append(state, images=images, merges=merges, alone=made.alone)
    return state


def _keep_texts(files: Mapping[str, str], request: BuildRequest, store: RecordStore) -> None:
    """Keep the manifests among ``files``: they say which dependencies were installed."""
    for path, leaf in files.items():
        source = request.context / path
        if not is_manifest(path) or not source.is_file() or source.stat().st_size > _TEXT_LIMIT:
            continue
        try:
            text = source.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue  # only the explanation of a later miss is poorer for it
        store.save_text(leaf.rpartition(":")[2], text)


def _without_secrets(step: StepRecord, mask: Mask) -> StepRecord:
    """Mask what an argument with a secret's name has left in the text of a step."""
    return replace(step, instruction=mask(step.instruction), parts=mask.inside(step.parts))


def step_record(step: Step, ring: KeyRing, seconds: float | None = None) -> StepRecord:
    """Describe one step."""
    keys = ring.keys(step.vertex)
    chain = [item for item in step.vertex.inputs if item.vertex and not item.by_content]
    parent = ring.keys(chain[0].vertex).exact if chain and chain[0].vertex else ""
    return StepRecord(
        stage=step.stage,
        line=step.line,
        instruction=step.instruction,
        keyword=step.keyword,
        exact=keys.exact,
        open=keys.open,
        blind=keys.blind,
        parent=parent,
        contents=tuple(item.content for item in step.vertex.inputs if item.context is not None),
        parts=describe_parts(step.vertex.op),
        seconds=seconds,
    )


def describe_parts(op: tuple[Any, ...]) -> dict[str, Any]:
    """Return an operation's parts by name; values of variables are hashed, not kept."""
    parts: dict[str, Any] = {}
    for part in op:
        name, *values = part
        value: Any = values[0] if len(values) == 1 else values
        if name == "environment":
            value = {key: _hidden(text) for key, text in value}
        parts[name] = value
    return parts


def _hidden(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]
