"""RUN: arguments, environment, mounts and everything else that its key holds."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from aipipe_build.context.digest import Selector
from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.expand import ExpansionError
from aipipe_build.dockerfile.heredoc import parse_heredoc
from aipipe_build.dockerfile.mounts import Mount, parse_mount
from aipipe_build.keys.model import Input, Vertex
from aipipe_build.keys.stages import SCRATCH
from aipipe_build.light import replace

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.keys.making import Making
    from aipipe_build.keys.stages import StageNode
    from aipipe_build.keys.state import StageState

_DEFAULT_SHELL = ("/bin/sh", "-c")
_INLINE = "/dev/pipes/"


class _Inputs:
    """The inputs of one RUN; what is read twice is one input."""

    def __init__(self) -> None:
        self.items: list[Input] = []

    def add(self, item: Input) -> int:
        for index, known in enumerate(self.items):
            if item.vertex is not None and known.vertex is item.vertex:
                self.items[index] = replace(
                    known,
                    selectors=(*known.selectors, *item.selectors),
                    by_content=item.by_content or known.by_content,
                )
                return index
        self.items.append(item)
        return len(self.items) - 1


def dispatch_run(
    making: Making,
    state: StageState,
    instruction: Instruction,
    sources: list[StageNode | None],
) -> None:
    """Put a RUN on top of ``state``."""
    inputs = _Inputs()
    root_input = -1 if state.vertex is None else inputs.add(Input(state.vertex))
    arguments, shown, inline = _arguments(instruction, state)
    mounts: list[tuple[str, Any]] = []
    if inline is not None:
        mounts.append((_INLINE, ("bind", True, inputs.add(inline), False)))
    secrets: list[Any] = []
    for option, source in zip(instruction.flag_values("mount"), sources, strict=True):
        mount = parse_mount(
            option,
            lambda word: making.expand(word, state, instruction.start),
            line=instruction.start,
        )
        if mount.kind in ("secret", "ssh"):
            secrets.append(_secret(mount, instruction.start))
            continue
        target = mount.target
        if not posixpath.normpath(target or ".").startswith("/"):
            target = posixpath.normpath(posixpath.join("/", state.directory, target))
        if target == "/":
            raise DockerfileError(f"invalid mount target {mount.target!r}", line=instruction.start)
        mounts.append((target, _mount(making, mount, source, inputs, target)))
    if making.request.shm_size > 0:
        mounts.append(("/dev/shm", ("tmpfs", making.request.shm_size)))  # noqa: S108
    mounts.sort(key=lambda pair: pair[0])
    op = (
        ("arguments", arguments),
        ("environment", _environment(state, secrets)),
        ("folder", state.directory),
        ("user", state.user),
        ("network", _network(making, instruction)),
        ("security", instruction.flag("security") or "sandbox"),
        ("mounts", root_input, tuple(mounts)),
        ("secrets", tuple(secrets)),
        ("hosts", making.request.hosts),
        ("hostname", making.request.build_args.get("BUILDKIT_SANDBOX_HOSTNAME", "")),
        ("limits", making.request.ulimits, making.request.cgroup_parent),
        ("platform", str(state.platform)),
        ("devices", instruction.flag_values("device")),
    )
    state.vertex = Vertex("run", op, tuple(inputs.items), ignore_cache=state.ignore_cache)
    making.add_step(state, instruction, _shown(making, state, shown), state.vertex)


def _arguments(
    instruction: Instruction, state: StageState
) -> tuple[tuple[str, ...], str, Input | None]:
    """Return what runs, the text that names it, and a script that is mounted, if there is one."""
    shell = state.shell or _DEFAULT_SHELL
    shown = instruction.code
    if not instruction.heredocs:
        if instruction.json:
            return instruction.args, shown, None
        return (*shell, " ".join(instruction.args)), shown, None
    first = instruction.heredocs[0]
    if parse_heredoc(instruction.args[0]) is None:
        full = instruction.args[0]
        full += "".join(f"\n{doc.content}{doc.name}" for doc in instruction.heredocs)
        return (*shell, full), shown, None
    shown += f" ({_summary(first.content)})"
    if first.content.startswith("#!"):
        script = Input(content=f"script {first.name}\n{first.body}")
        return (*shell, _INLINE + first.name), shown, script
    return (*shell, first.body), shown, None


def _summary(document: str) -> str:
    lines = document.strip().replace("\r\n", "\n").split("\n")
    return lines[0] + ("..." if len(lines) > 1 else "")


def _shown(making: Making, state: StageState, text: str) -> str:
    """Expand the text for display: quotes stay, unset variables stay."""
    how = replace(making.expander, raw_quotes=True, skip_unset=True)
    try:
        return how.word(text, state.env)
    except ExpansionError:
        return text


def _environment(state: StageState, secrets: list[Any]) -> tuple[tuple[str, str], ...]:
    env = state.env
    agents = [one for one in secrets if one[0] == "ssh"]
    if agents and "SSH_AUTH_SOCK" not in env:
        env = env.set("SSH_AUTH_SOCK", agents[0][1] or "/run/buildkit/ssh_agent.0")
    return env.pairs()


def _network(making: Making, instruction: Instruction) -> str:
    value = (instruction.flag("network") or "default").lower()
    if value not in ("default", "none", "host"):
        raise DockerfileError(f"unsupported network mode {value!r}", line=instruction.start)
    wanted = making.request.network if value == "default" else value
    return "" if wanted in ("default", "sandbox") else wanted


def _mount(
    making: Making, mount: Mount, source: StageNode | None, inputs: _Inputs, target: str
) -> Any:
    if mount.kind == "tmpfs":
        return ("tmpfs", mount.size)
    path = posixpath.normpath("/" + mount.source.lstrip("/"))
    selector = Selector(path)
    if mount.kind == "cache":
        return _cache_mount(making, mount, source, inputs, target, selector)
    index = inputs.add(_bind_source(making, mount, source, selector))
    return ("bind", mount.readonly, index, False)


def _bind_source(
    making: Making, mount: Mount, source: StageNode | None, selector: Selector
) -> Input:
    if not mount.source_stage or source is None:
        return making.context_input("", [selector])
    return making.stage_input(source, [selector])


def _cache_mount(
    making: Making,
    mount: Mount,
    source: StageNode | None,
    inputs: _Inputs,
    target: str,
    selector: Selector,
) -> Any:
    """Describe a cache mount: its content never counts, its target does.

    The identity counts only as "the default one" or "some other": BuildKit clears it from the
    key unless it is the target's path under shared access.
    """
    namespace = making.request.build_args.get("BUILDKIT_CACHE_MOUNT_NS", "")
    identity = f"{namespace}/{mount.identity or posixpath.normpath(mount.target or '.')}"
    default = mount.sharing in ("", "shared") and (
        identity == target or identity.partition("/")[2] == target
    )
    index = -1
    if mount.source_stage and source is not None and mount.source_stage.lower() != SCRATCH:
        index = inputs.add(making.stage_input(source, [selector]))
    elif selector.path == "/" and (mount.uid, mount.gid, mount.mode) != (None, None, None):
        mode = 0o755 if mount.mode is None else mount.mode
        owner = f"{mount.uid or 0}:{mount.gid or 0}"
        index = inputs.add(Input(content=f"cache folder {mode:o} {owner}"))
    return ("cache", mount.readonly, index, identity if default else "")


def _secret(mount: Mount, line: int) -> tuple[Any, ...]:
    identity = mount.source if mount.kind == "secret" and mount.source else mount.identity
    given = (mount.uid, mount.gid, mount.mode) != (None, None, None)
    if mount.kind == "ssh":
        identity = identity or "default"
        mode = (0o600 if mount.mode is None else mount.mode) if given else 0o600
        owner = (mount.uid or 0, mount.gid or 0, mode)
        return ("ssh", mount.target, identity, mount.required, owner)
    if not identity:
        if not mount.target and mount.env is None:
            raise DockerfileError("invalid secret mount: one of source, target required", line=line)
        identity = posixpath.basename(mount.target) or str(mount.env)
    target = mount.target
    if not target and mount.env is None:
        target = "/run/secrets/" + posixpath.basename(identity)
    mode = 0o400 if mount.mode is None else mount.mode
    owner = (mount.uid or 0, mount.gid or 0, mode)
    return ("secret", target, mount.env, identity, mount.required, owner)
