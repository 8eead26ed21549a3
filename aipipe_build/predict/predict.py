"""From a graph and a history to verdicts. Pure: nothing is read, nothing is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.keys.compute import KeyRing, ignored_keys
from aipipe_build.light import replace
from aipipe_build.predict.model import Prediction, StepPrediction, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aipipe_build.keys.compute import Keys
    from aipipe_build.keys.model import BuildGraph, Step
    from aipipe_build.record.model import History

    Manifests = Callable[[str], Mapping[str, str] | None]
    Meanings = Callable[[str, str], str]


def predict_graph(
    graph: BuildGraph,
    history: History,
    *,
    manifest_now: Manifests,
    manifest_then: Manifests,
    meaning: Meanings,
    doubt: str = "",
) -> Prediction:
    """Predict every step of ``graph``.

    ``doubt`` is a reason to trust no key at all (a foreign syntax): then nothing is a hit and
    nothing is a miss.
    """
    ring = KeyRing(ignored_keys(graph.steps))
    verdicts: dict[int, Verdict] = {}
    steps: list[StepPrediction] = []
    for step in graph.steps:
        keys = ring.keys(step.vertex)
        verdict = Verdict.UNKNOWN if doubt else judge(keys, history)
        verdicts[id(step.vertex)] = verdict
        cause = ""
        if verdict is not Verdict.HIT:
            from aipipe_build.predict.cause import explain
            from aipipe_build.record.make import step_record

            cause = doubt or explain(
                step,
                step_record(step, ring),
                verdict,
                history,
                doubt=keys.doubt,
                parent=_parent(step, graph, verdicts),
                manifest_now=manifest_now,
                manifest_then=manifest_then,
                meaning=meaning,
            )
        steps.append(
            StepPrediction(
                stage=step.stage,
                line=step.line,
                instruction=step.instruction,
                verdict=verdict,
                cause=cause,
                seconds=history.seconds(keys.exact, step.instruction),
            )
        )
    unchanged = not doubt and _unchanged(graph, ring, history, steps)
    image = history.image_of(_head(graph, ring), graph.config) if unchanged else ""
    return Prediction(tuple(steps), unchanged=unchanged, image=image)


def agree(found: Sequence[Prediction]) -> Prediction:
    """Join predictions for builders that differ: where they disagree nobody could tell."""
    first, *others = found
    steps = []
    for index, step in enumerate(first.steps):
        verdicts = {step.verdict, *(other.steps[index].verdict for other in others)}
        if len(verdicts) > 1:
            cause = "nobody could tell whether this builder keeps COPY --link apart"
            step = replace(step, verdict=Verdict.UNKNOWN, cause=cause)  # noqa: PLW2901
        steps.append(step)
    unchanged = all(prediction.unchanged for prediction in found)
    return Prediction(tuple(steps), unchanged, image=first.image)


def judge(keys: Keys, history: History) -> Verdict:
    """Judge one step by its keys."""
    if keys.doubt:
        return Verdict.UNKNOWN if history.has_blind(keys.blind) else Verdict.MISS
    if history.step(keys.exact):
        return Verdict.HIT
    return Verdict.DEPENDS if history.has_open(keys.open) else Verdict.MISS


def _parent(
    step: Step, graph: BuildGraph, verdicts: Mapping[int, Verdict]
) -> tuple[Step, Verdict] | None:
    """Return the nearest step below in the same chain that does not hit."""
    by_vertex = {id(one.vertex): one for one in graph.steps}
    pending = [item.vertex for item in step.vertex.inputs if item.vertex and not item.by_content]
    while pending:
        vertex = pending.pop(0)
        found = by_vertex.get(id(vertex))
        if found is not None:
            verdict = verdicts.get(id(vertex), Verdict.HIT)
            if verdict is not Verdict.HIT:
                return found, verdict
            continue
        # A merge has no line of its own: what it joins stands for it.
        pending += [item.vertex for item in vertex.inputs if item.vertex]
    return None


def _unchanged(
    graph: BuildGraph, ring: KeyRing, history: History, steps: list[StepPrediction]
) -> bool:
    if any(step.verdict is not Verdict.HIT for step in steps):
        return False
    head = _head(graph, ring)
    return any(state.head == head and state.config == graph.config for state in history.states)


def _head(graph: BuildGraph, ring: KeyRing) -> str:
    return ring.keys(graph.head).exact if graph.head else ""
