"""``pipeline.yaml``: from the file to a checked :class:`Pipeline`."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from aipipe.pipeline.graph import ordered
from aipipe.pipeline.lines import Lines, Place, read_lines
from aipipe.pipeline.matrix import check_size, combinations, filled, full_name, text_of
from aipipe.pipeline.model import (
    DEFAULT_NAME,
    EVERY,
    GRACE,
    HOUR,
    Anomaly,
    Monitor,
    Pipeline,
    Stage,
    When,
)
from aipipe.pipeline.schema import check
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_FILE = "pipeline.yaml"
SHELL = ("/bin/sh", "-ec")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_WHAT = "pipeline"


def load_pipeline(path: Path, name: str | None = None) -> Pipeline:
    """Return the pipeline in the file ``path``, which errors call ``name``.

    Raises ``RequestError``, always with the line: ``pipeline-missing``,
    ``pipeline-unreadable``, ``pipeline-not-yaml``, ``pipeline-key-twice``,
    ``pipeline-unknown-key``, ``pipeline-invalid``, ``pipeline-unknown-stage``,
    ``pipeline-cycle``, ``pipeline-matrix``.
    """
    lines = read_lines(path, name or path.name, what=_WHAT)
    if lines.content is None:
        raise _invalid(lines, (), "The file is empty", "It needs at least: stages.")
    check(lines, "pipeline", what=_WHAT)
    content = lines.content
    stages: Mapping[str, Any] = content["stages"]
    depends = {key: _names(found.get("depends_on", [])) for key, found in stages.items()}
    order = ordered(depends, lines)
    shared = _environment(content.get("environment", {}))
    unfolded = {key: list(_unfold(lines, key, stages[key], shared)) for key in order}
    full = {key: [stage.name for stage in made] for key, made in unfolded.items()}
    done = [
        _waiting(stage, [name for key in depends[stage.of] for name in full[key]])
        for key in order
        for stage in unfolded[key]
    ]
    return Pipeline(content.get("name", DEFAULT_NAME), tuple(done))


def seconds(value: float | str) -> float:
    """Return a duration of the file (``90``, ``"90s"``, ``"1h30m"``) in seconds."""
    if not isinstance(value, str):
        return float(value)
    match = _DURATION.fullmatch(value)
    hours, minutes, rest = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return hours * 3600.0 + minutes * 60.0 + rest


def _invalid(lines: Lines, place: Place, what: str, hint: str) -> RequestError:
    return RequestError("pipeline-invalid", what, where=lines.where(place), hint=hint)


def _names(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _environment(found: Mapping[str, object]) -> dict[str, str]:
    return {name: text_of(value) for name, value in found.items()}


def _command(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (*SHELL, value) if isinstance(value, str) else tuple(value)


def _waiting(stage: Stage, names: list[str]) -> Stage:
    from dataclasses import replace

    return replace(stage, depends_on=tuple(names))


def _unfold(lines: Lines, name: str, found: Mapping[str, Any], shared: Mapping[str, str]) -> Any:
    place = ("stages", name)
    _check_stage(lines, place, found)
    matrix = found.get("matrix", {})
    check_size(matrix, lines, (*place, "matrix"))
    for chosen in combinations(matrix):
        content = {
            key: filled(value, chosen, lines, (*place, key))
            for key, value in found.items()
            if key != "matrix"
        }
        variables = {f"MATRIX_{key.upper()}": value for key, value in chosen.items()}
        environment = {**shared, **variables, **_environment(content.get("environment", {}))}
        yield _stage(full_name(name, chosen), name, lines.of(place), content, environment)


def _stage(
    full: str, of: str, line: int, content: Mapping[str, Any], environment: Mapping[str, str]
) -> Stage:
    uses = content.get("uses", "")
    return Stage(
        name=full,
        of=of,
        line=line,
        command=_command(content.get("command")),
        uses=uses,
        arguments=tuple(content.get("arguments", ())),
        directory=content.get("directory", ""),
        timeout=seconds(content.get("timeout", HOUR)),
        grace=seconds(content.get("grace", GRACE)),
        when=_when(content.get("when", {})),
        environment=environment,
        inputs=tuple(content.get("inputs", ())),
        outputs=tuple(content.get("outputs", ())),
        cache=content.get("cache", uses != "deploy" and "monitor" not in content),
        on_failure=tuple(_names(content.get("on_failure", []))),
        strategy=content.get("strategy", "auto"),
        monitor=_monitor(content.get("monitor")),
        on_anomaly=_anomaly(content.get("on_anomaly"), uses),
    )


def _when(found: Mapping[str, Any]) -> When:
    return When(**{key: tuple(_names(value)) for key, value in found.items()})


def _monitor(found: Any) -> Monitor | None:
    if found is None:
        return None
    if not isinstance(found, dict):
        return Monitor(seconds(found))
    every = seconds(found.get("every", EVERY))
    command = _command(found["command"])
    return Monitor(seconds(found["for"]), command, every, found.get("failures", 1))


def _anomaly(found: Any, uses: str) -> Anomaly:
    if found is None:
        return Anomaly("rollback" if uses == "deploy" else "stop")
    if isinstance(found, str):
        return Anomaly(found)
    return Anomaly("command", _command(found["command"]))


def _check_stage(lines: Lines, place: Place, found: Mapping[str, Any]) -> None:
    """Refuse what the schema cannot say: keys that need or rule out each other."""
    name, uses = place[-1], found.get("uses")
    if ("command" in found) == (uses is not None):
        what = f"Stage {name!r} needs either a command or uses, one of the two"
        raise _invalid(lines, place, what, "Write command: ... or uses: tests, build or deploy.")
    if "arguments" in found and uses is None:
        what = f"Stage {name!r} has arguments and no agent to give them to"
        raise _invalid(lines, (*place, "arguments"), what, "Put them into the command.")
    if "strategy" in found and uses != "deploy":
        what = f"Stage {name!r} has a strategy and is no deploy"
        raise _invalid(lines, (*place, "strategy"), what, "It goes with uses: deploy.")
    _check_watch(lines, place, found, uses)
    _check_paths(lines, place, found)
    for key in ("timeout", "grace"):
        if key in found and seconds(found[key]) <= 0:
            raise _invalid(lines, (*place, key), f"{key} has to be more than nothing", "Try 10m.")


def _check_watch(lines: Lines, place: Place, found: Mapping[str, Any], uses: str | None) -> None:
    name, monitor, anomaly = place[-1], found.get("monitor"), found.get("on_anomaly")
    if monitor is not None and not isinstance(monitor, dict) and uses != "deploy":
        what = f"Stage {name!r} is watched without a check"
        hint = "Only a deploy is watched by itself; write monitor: {command: ..., for: ...}."
        raise _invalid(lines, (*place, "monitor"), what, hint)
    if anomaly is not None and monitor is None and uses != "deploy":
        what = f"Stage {name!r} says on_anomaly and has no monitor"
        raise _invalid(lines, (*place, "on_anomaly"), what, "Write a monitor, too.")
    if anomaly == "rollback" and uses != "deploy":
        what = f"Stage {name!r} cannot be rolled back by itself"
        hint = "Write on_anomaly: {command: ...} with the command that undoes it."
        raise _invalid(lines, (*place, "on_anomaly"), what, hint)


def _check_paths(lines: Lines, place: Place, found: Mapping[str, Any]) -> None:
    paths = [("directory", found["directory"])] if "directory" in found else []
    paths += [(key, path) for key in ("inputs", "outputs") for path in found.get(key, ())]
    for key, path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            what = f"{path!r} lies outside the repository"
            raise _invalid(lines, (*place, key), what, "Paths are relative to its top.")
