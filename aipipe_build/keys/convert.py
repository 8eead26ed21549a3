"""From a Dockerfile and a request to the graph of the build.

Follows BuildKit's own conversion instruction by instruction: what it puts into an operation
is in ``Vertex.op`` here, what its cache leaves out is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.expand import Expander, ExpansionError
from aipipe_build.dockerfile.parse import parse_trigger, trigger_expression
from aipipe_build.keys.compute import distinct_steps
from aipipe_build.keys.copy import dispatch_copy, dispatch_workdir
from aipipe_build.keys.environment import DEFAULT_PATH
from aipipe_build.keys.making import Making, is_local
from aipipe_build.keys.model import BuildGraph, Source, Vertex
from aipipe_build.keys.platform import host_platform, parse_platform, platform_arguments
from aipipe_build.keys.reference import normalise_reference
from aipipe_build.keys.run import dispatch_run
from aipipe_build.keys.stages import SCRATCH, StageNode, build_stage_graph, sources_of
from aipipe_build.keys.state import StageState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_build.dockerfile.model import Dockerfile, Instruction
    from aipipe_build.keys.model import ImageConfig
    from aipipe_build.keys.platform import Platform
    from aipipe_build.keys.sources import Contexts, Downloads, Images
    from aipipe_build.request import BuildRequest


def build_graph(
    dockerfile: Dockerfile,
    request: BuildRequest,
    *,
    contexts: Contexts,
    images: Images,
    downloads: Downloads,
    merges: bool = True,
) -> BuildGraph:
    """Make the graph. Raises :class:`DockerfileError`, ``ContextError``, ``RequestError``."""
    expander = Expander(escape=dockerfile.escape)
    target_platform = _target_platform(request)
    meta = _meta_arguments(dockerfile, request, expander, target_platform)
    known = {name: value or "" for name, value in meta.items()}
    base_names = [
        _base_name(stage.base, stage.instruction.start, expander, known)
        for stage in dockerfile.stages
    ]
    stages = build_stage_graph(dockerfile.stages, base_names, request.target)
    making = Making(
        request=request,
        contexts=contexts,
        images=images,
        downloads=downloads,
        stages=stages,
        expander=expander,
        meta_args=meta,
        target_platform=target_platform,
        merges=merges,
    )
    for node in stages.reachable():
        if not node.implicit:
            _make_stage(making, node)
    final = making.states[id(stages.target)]
    return BuildGraph(
        steps=tuple(distinct_steps(making.steps)),
        head=final.vertex,
        config=final.config_digest(dict(request.labels)),
        images=making.seen_images,
    )


def _target_platform(request: BuildRequest) -> Platform:
    return parse_platform(request.platform) if request.platform else host_platform()


def _meta_arguments(
    dockerfile: Dockerfile, request: BuildRequest, expander: Expander, target: Platform
) -> dict[str, str | None]:
    """Return the arguments that stand before the first FROM, predefined ones included."""
    values: dict[str, str | None] = dict(platform_arguments(host_platform(), target))
    values |= {name: value for name, value in request.build_args.items() if name in values}
    for instruction in dockerfile.meta_args:
        for argument in instruction.args:
            name, equals, default = argument.partition("=")
            value: str | None = default if equals else None
            if name in request.build_args:
                value = request.build_args[name]
            elif value is not None:
                env = {key: one or "" for key, one in values.items()}
                try:
                    value = expander.word(value, env)
                except ExpansionError as error:
                    raise DockerfileError(str(error), line=instruction.start) from error
            values[name] = value
    return values


def _base_name(text: str, line: int, expander: Expander, known: Mapping[str, str]) -> str:
    try:
        name = expander.word(text, known)
    except ExpansionError as error:
        raise DockerfileError(str(error), line=line) from error
    if not name:
        raise DockerfileError(
            f"base name ({text}) should not be blank",
            line=line,
            hint="Give the argument a default, or pass it with --build-arg.",
        )
    return name


def _make_stage(making: Making, node: StageNode) -> None:
    assert node.stage is not None  # noqa: S101 - implicit nodes are images
    state = _begin(making, node)
    making.states[id(node)] = state
    state.ignore_cache = making.request.no_cache or any(
        node.name and name.lower() == node.name for name in making.request.no_cache_filter
    )
    if state.local_root is not None and node.name:
        return  # a named context in a stage's place: its instructions are not read
    triggers, state.triggers = state.triggers, ()
    for expression in triggers:
        trigger = parse_trigger(expression, line=node.stage.instruction.start)
        _dispatch(making, state, trigger, _trigger_sources(making, trigger))
    for position, command in enumerate(node.stage.commands):
        _dispatch(making, state, command, node.sources.get(position, []))


def _trigger_sources(making: Making, trigger: Instruction) -> list[StageNode | None]:
    by_name = {node.name: node for node in making.stages.nodes if node.name}
    return sources_of(trigger, making.stages.nodes, by_name)


def _begin(making: Making, node: StageNode) -> StageState:
    """Return what a stage finds when its first instruction is read."""
    stage = node.stage
    assert stage is not None  # noqa: S101 - only declared stages are made
    platform = making.target_platform
    if stage.platform:
        known = {name: value or "" for name, value in making.meta_args.items()}
        platform = parse_platform(
            _base_name(stage.platform, stage.instruction.start, making.expander, known)
        )
    replaced = making.named_context(node.name, platform) if node.name else None
    if replaced is not None:
        return _from_context(making, node, platform, replaced)
    if node.base is not None:
        base = making.states[id(node.base)]
        state = base.child(node, base.platform)
        _inherit_environment(state)
        return state
    state = StageState(node=node, platform=platform)
    if node.base_name == SCRATCH:
        _inherit_environment(state)
        return state
    replaced = making.named_context(node.base_name, platform)
    if replaced is not None:
        return _from_context(making, node, platform, replaced)
    state.vertex, image = making.image_vertex(node.base_name, platform)
    _inherit_config(state, image.config, normalise_reference(node.base_name))
    return state


def _from_context(making: Making, node: StageNode, platform: Platform, spec: str) -> StageState:
    state = StageState(node=node, platform=platform)
    if spec.startswith("docker-image://"):
        reference = spec.removeprefix("docker-image://")
        state.vertex, image = making.image_vertex(reference, platform)
        _inherit_config(state, image.config, normalise_reference(reference))
    elif is_local(spec):
        # A folder as a base is keyed by the session that sends it and never hits.
        state.vertex = Vertex(Source.LOCAL, (spec,), fresh=True)
        state.local_root = spec
        _inherit_environment(state)
    else:
        state.vertex = making.outside_vertex(spec)
        _inherit_environment(state)
    return state


def _inherit_config(state: StageState, config: ImageConfig | None, reference: str) -> None:
    if config is None:
        # Whatever the image sets is the same as long as the image is.
        state.config["BASE"] = reference
        state.config["UNKNOWN_ENV"] = True
    else:
        state.config["ENV_LIST"] = dict(config.env)
        state.working_dir = config.working_dir
        state.user = config.user
        state.shell = config.shell
        state.triggers = config.on_build
        state.config["BASE"] = config.rest
    _inherit_environment(state)


def _inherit_environment(state: StageState) -> None:
    """Set the image's variables anew, which moves them behind the ARGs of the base stage."""
    listed = dict(state.config.get("ENV_LIST", {}))
    if "PATH" not in listed and not state.config.get("UNKNOWN_ENV"):
        listed["PATH"] = DEFAULT_PATH
    state.config["ENV_LIST"] = listed
    for name, value in listed.items():
        state.env = state.env.set(name, value)


def _dispatch(
    making: Making, state: StageState, instruction: Instruction, sources: list[StageNode | None]
) -> None:
    """Apply one instruction to ``state``."""
    keyword = instruction.keyword
    line = instruction.start
    match keyword:
        case "RUN":
            dispatch_run(making, state, instruction, sources)
        case "COPY" | "ADD":
            dispatch_copy(making, state, instruction, sources[0] if sources else None)
        case "WORKDIR":
            dispatch_workdir(making, state, instruction)
        case "ENV":
            _set_environment(making, state, instruction)
        case "ARG":
            _declare_arguments(making, state, instruction)
        case "USER":
            state.user = making.expand(instruction.args[0], state, line)
        case "SHELL":
            state.shell = instruction.args
        case "ONBUILD":
            state.triggers = (*state.triggers, trigger_expression(instruction))
        case "LABEL":
            words = [making.expand(word, state, line) for word in instruction.args]
            labels = dict(zip(words[::2], words[1::2], strict=True))
            state.note(instruction, {**state.config.get("LABEL", {}), **labels})
        case "EXPOSE" | "VOLUME" | "STOPSIGNAL":
            words = [making.expand(word, state, line) for word in instruction.args]
            earlier = [] if keyword == "STOPSIGNAL" else state.config.get(keyword, [])
            state.note(instruction, sorted({*earlier, *words}))
        case _:
            _note_command(state, instruction)


def _set_environment(making: Making, state: StageState, instruction: Instruction) -> None:
    # All of one ENV is expanded before any of it is set.
    words = [making.expand(word, state, instruction.start) for word in instruction.args]
    listed = dict(state.config.get("ENV_LIST", {}))
    for name, value in zip(words[::2], words[1::2], strict=True):
        state.env = state.env.set(name, value)
        listed[name] = value
    state.config["ENV_LIST"] = listed


def _declare_arguments(making: Making, state: StageState, instruction: Instruction) -> None:
    pairs: list[tuple[str, str | None]] = []
    for argument in instruction.args:
        name, equals, default = argument.partition("=")
        name = making.expand(name, state, instruction.start)
        value = making.expand(default, state, instruction.start) if equals else None
        pairs.append((name, value))
    given = making.request.build_args
    for name, default_value in pairs:
        value = given.get(name, default_value)
        if value is None:
            value = making.meta_args.get(name)
        if value is not None and name not in (
            "BUILDKIT_SBOM_SCAN_CONTEXT",
            "BUILDKIT_SBOM_SCAN_STAGE",
        ):
            state.env = state.env.set(name, value)


def _note_command(state: StageState, instruction: Instruction) -> None:
    """Keep CMD, ENTRYPOINT, HEALTHCHECK and MAINTAINER, which run nothing."""
    value = (instruction.args, instruction.json, instruction.flags)
    if instruction.keyword == "ENTRYPOINT":
        # An ENTRYPOINT drops a command that was only inherited.
        state.config.setdefault("CMD", "none")
    shell = () if instruction.json else state.shell
    state.note(instruction, (value, shell))
