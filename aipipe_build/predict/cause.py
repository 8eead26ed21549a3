"""Why a step does not hit: the file, the mode bit, the argument, the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.predict.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aipipe_build.keys.model import Step
    from aipipe_build.record.model import History, StepRecord

    Manifests = Callable[[str], Mapping[str, str] | None]
    Meanings = Callable[[str, str], str]

_SHOWN = 3
# Stage and line alone: any two images share those.
_BY_CHANCE = 2


def explain(
    step: Step,
    now: StepRecord,
    verdict: Verdict,
    history: History,
    *,
    doubt: str,
    parent: tuple[Step, Verdict] | None,
    manifest_now: Manifests,
    manifest_then: Manifests,
    meaning: Meanings,
) -> str:
    """Return the cause in one sentence."""
    if verdict is Verdict.UNKNOWN:
        return doubt or "nobody could tell"
    if step.vertex.ignore_cache:
        return "the cache is switched off for this stage"
    own = _own_change(now, history, manifest_now, manifest_then, meaning)
    if verdict is Verdict.DEPENDS:
        return _depends(step, parent)
    if own:
        return own
    if parent is not None:
        below, parent_verdict = parent
        again = "runs again" if parent_verdict is Verdict.MISS else "may run again"
        return f"it stands on line {below.line} ({_short(below.instruction)}), which {again}"
    if not history.states:
        return "nothing is recorded for this builder"
    return "it was never built on this base image and these layers"


def _depends(step: Step, parent: tuple[Step, Verdict] | None) -> str:
    if parent is not None and not any(item.by_content for item in step.vertex.inputs):
        below = parent[0]
        return f"it stands on line {below.line} ({_short(below.instruction)}), which may run again"
    return "it hits if the stage that it reads makes the same content as before"


def _own_change(
    now: StepRecord,
    history: History,
    manifest_now: Manifests,
    manifest_then: Manifests,
    meaning: Meanings,
) -> str:
    """Compare with the recorded step that comes nearest; "" if that differs in nothing."""
    then = nearest(now, history)
    if then is None:
        return "" if not history.states else "this instruction was never built"
    changes = _changed_parts(then.parts, now.parts)
    if changes:
        return "; ".join(changes)
    for before, after in zip(then.contents, now.contents, strict=False):
        if before != after:
            return describe_files(manifest_then(before), manifest_now(after), meaning)
    if len(then.contents) != len(now.contents):
        return "it reads other sources"
    return ""


def nearest(now: StepRecord, history: History) -> StepRecord | None:
    """Return the recorded step most like ``now``: same parts first, newest first."""
    best: tuple[int, StepRecord] | None = None
    for state in reversed(history.states):
        for step in state.steps:
            if step.keyword != now.keyword:
                continue
            score = _likeness(step, now)
            if best is None or score > best[0]:
                best = (score, step)
    return best[1] if best and best[0] > _BY_CHANCE else None


def _likeness(then: StepRecord, now: StepRecord) -> int:
    return int(
        4 * (then.instruction == now.instruction)
        + 2 * (then.parent == now.parent)
        + 2 * (_plain(then.parts) == _plain(now.parts))
        + 2 * (then.contents == now.contents and bool(now.contents))
        + (then.stage == now.stage)
        + (then.line == now.line)
    )


def _plain(value: Any) -> Any:
    """Return ``value`` with tuples as lists, as it comes back from JSON."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _changed_parts(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    changes: list[str] = []
    for name in {**then, **now}:
        before, after = _plain(then.get(name)), _plain(now.get(name))
        if before == after:
            # The order of variables counts, and equal dicts do not show it.
            if isinstance(before, dict) and list(before) != list(after):
                changes.append("the variables are set in another order")
            continue
        if name == "environment":
            changes += _changed_variables(before or {}, after or {})
        elif name == "arguments":
            changes.append("the command changed")
        elif name == "mounts":
            changes.append("its mounts changed")
        elif name == "keyword":
            changes.append(f"{before} became {after}")
        else:
            changes.append(f"{name} changed from {_value(before)} to {_value(after)}")
    return changes


def _changed_variables(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    changes = [f"the variable {name} is new" for name in now if name not in then]
    changes += [f"the variable {name} is gone" for name in then if name not in now]
    changes += [
        f"the variable {name} has another value"
        for name in now
        if name in then and then[name] != now[name]
    ]
    return changes


def describe_files(
    then: Mapping[str, str] | None, now: Mapping[str, str] | None, meaning: Meanings
) -> str:
    """Say which files differ between two manifests, and what the edit of a lock file means."""
    if then is None or now is None:
        return "the files that it copies changed"
    changes: list[str] = []
    for path in sorted({*then, *now}):
        shown = path or "."
        if path not in then:
            changes.append(f"{shown} was added")
        elif path not in now:
            changes.append(f"{shown} was removed")
        elif then[path] != now[path]:
            note = meaning(path, then[path])
            changes.append(_describe_file(shown, then[path], now[path]) + note)
    if not changes:
        return "the files that it copies were renamed or moved"
    more = len(changes) - _SHOWN
    return "; ".join(changes[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _describe_file(path: str, then: str, now: str) -> str:
    old_mode, _, old_leaf = then.partition(" ")
    new_mode, _, new_leaf = now.partition(" ")
    if old_leaf[:1] != new_leaf[:1]:
        return f"{path} is another kind of file"
    if old_mode != new_mode:
        return f"the mode of {path} changed from {old_mode} to {new_mode}"
    return f"{path} changed"


def _value(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
        # Sources: what each is, its name, and what filters it.
        return ", ".join(str(one[1]) for one in value if len(one) > 1) or "other sources"
    return "nothing" if value in (None, "", [], {}) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a line's worth
