"""Which stage stands on which: names, numbers, reachability, cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.mounts import mount_sources
from aipipe_build.light import field, light
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_build.dockerfile.model import Instruction, Stage

SCRATCH = "scratch"


@light(eq=False)
class StageNode:
    """A stage, or an image that a ``--from`` names (``implicit``).

    ``base_name`` is FROM's argument with its variables expanded; ``base`` the stage of that
    name, if an earlier one bears it. ``sources`` holds the stages that an instruction reads.
    """

    index: int
    base_name: str
    name: str = ""
    stage: Stage | None = None
    base: StageNode | None = None
    sources: dict[int, list[StageNode | None]] = field(default_factory=dict)
    implicit: bool = False

    def dependencies(self) -> list[StageNode]:
        """Return every stage that this one needs."""
        needed = [one for group in self.sources.values() for one in group if one]
        return [self.base, *needed] if self.base else needed


@light()
class StageGraph:
    """All stages in the order of the file, the target, and what they display as."""

    nodes: list[StageNode]
    target: StageNode
    single: bool

    def display_name(self, node: StageNode) -> str:
        """Return the name that progress shows, "" when it shows none."""
        return "" if self.single else node.name or f"stage-{node.index}"

    def reachable(self) -> list[StageNode]:
        """Return what the target needs, itself included, in the order of the file."""
        found: set[int] = set()
        pending = [self.target]
        while pending:
            node = pending.pop()
            if id(node) not in found:
                found.add(id(node))
                pending += node.dependencies()
        return [node for node in self.nodes if id(node) in found]


def build_stage_graph(
    stages: Sequence[Stage], base_names: Sequence[str], target: str
) -> StageGraph:
    """Connect ``stages``. Raises :class:`DockerfileError`, :class:`RequestError`."""
    nodes: list[StageNode] = []
    by_name: dict[str, StageNode] = {}
    for index, (stage, base_name) in enumerate(zip(stages, base_names, strict=True)):
        node = StageNode(index, base_name, stage.name, stage, by_name.get(base_name))
        nodes.append(node)
        if stage.name:
            by_name[stage.name] = node
    if not nodes:
        raise DockerfileError("the file has no build stage", hint="Add a FROM.")
    goal = _target(nodes, by_name, target)
    declared = list(nodes)
    for node in declared:
        _connect(node, nodes, by_name)
    _refuse_cycles(declared)
    return StageGraph(nodes, goal, single=len(nodes) == 1)


def _target(nodes: list[StageNode], by_name: Mapping[str, StageNode], target: str) -> StageNode:
    if not target:
        return nodes[-1]
    found = by_name.get(target.lower())
    if found is None and target.isdecimal() and int(target) < len(nodes):
        found = nodes[int(target)]
    if found is None:
        raise RequestError(
            "target-unknown",
            f"there is no stage named {target!r}",
            hint=f"The stages are: {', '.join(by_name) or 'unnamed'}.",
        )
    return found


def _connect(node: StageNode, nodes: list[StageNode], by_name: dict[str, StageNode]) -> None:
    assert node.stage is not None  # noqa: S101 - only declared stages come here
    for position, command in enumerate(node.stage.commands):
        found = sources_of(command, nodes, by_name)
        if found:
            node.sources[position] = found
            nodes += [one for one in found if one and one.implicit]


def sources_of(
    command: Instruction, nodes: Sequence[StageNode], by_name: Mapping[str, StageNode]
) -> list[StageNode | None]:
    """Return the stages that ``command`` reads: one for COPY --from, one a mount for RUN."""
    if command.keyword == "COPY":
        source = command.flag("from")
        if not source:
            return []
        if source.isdecimal():
            if int(source) >= len(nodes):
                raise DockerfileError(f"invalid stage index {source}", line=command.start)
            return [nodes[int(source)]]
        return [_named(source, by_name)]
    if command.keyword == "RUN":
        found: list[StageNode | None] = []
        for option in command.flag_values("mount"):
            _, name = mount_sources(option)
            found.append(_named(name or SCRATCH, by_name))
        return found
    return []


def _named(name: str, by_name: Mapping[str, StageNode]) -> StageNode:
    return by_name.get(name.lower()) or StageNode(-1, name, implicit=True)


def _refuse_cycles(nodes: Sequence[StageNode]) -> None:
    """Raise for stages that need each other: every need must point to an earlier stage."""
    for node in nodes:
        for position, group in node.sources.items():
            for source in group:
                if source is None or source.implicit or source.index < node.index:
                    continue
                assert node.stage is not None  # noqa: S101 - only declared stages come here
                line = node.stage.commands[position].start
                if _reaches(source, node):
                    raise DockerfileError(
                        f"circular dependency detected on stage: {node.name or node.index}",
                        line=line,
                    )
                raise DockerfileError(
                    f"the stage {source.name or source.index} needs to be defined before the "
                    f"stage {node.name or node.index}, which reads it",
                    line=line,
                )


def _reaches(start: StageNode, goal: StageNode) -> bool:
    seen: set[int] = set()
    pending = [start]
    while pending:
        node = pending.pop()
        if node is goal:
            return True
        if id(node) not in seen:
            seen.add(id(node))
            pending += node.dependencies()
    return False
