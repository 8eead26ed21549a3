"""What a rule may look at: the Dockerfile, the context, its history, the image as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.keys.paths import absolute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aipipe_build.dockerfile.model import Dockerfile, Instruction, Stage
    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.proposal import Proposal


class Rule(Protocol):
    """Looks at a situation and proposes one rewrite, or nothing."""

    def __call__(self, situation: Situation) -> Proposal | None:
        """Return the proposal."""
        ...


@dataclass(frozen=True, slots=True)
class Base:
    """What the engine says of a base image. ``layers`` counts them, None where nobody knows."""

    digest: str = ""
    user: str = ""
    layers: int | None = None


def _no_base(_reference: str) -> Base:
    return Base()


def _no_image(_reference: str) -> Image | None:
    return None


def _no_text(_path: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Situation:
    """One Dockerfile with what stands around it.

    ``files`` are the paths of the context that the builder is sent, ``ignore`` is the text of
    the ignore file, None where there is none. ``changed`` counts the commits that changed a
    path. ``image`` is what the Dockerfile, as the project has it, builds. ``bare`` returns a
    base image as it is, None for one that cannot be had.
    """

    text: str
    target: str = ""
    files: frozenset[str] = frozenset()
    ignore: str | None = None
    read: Callable[[str], str | None] = _no_text
    changed: Mapping[str, int] = field(default_factory=dict)
    base: Callable[[str], Base] = _no_base
    image: Image | None = None
    bare: Callable[[str], Image | None] = _no_image
    _parsed: list[Dockerfile] = field(default_factory=list, compare=False)

    @property
    def dockerfile(self) -> Dockerfile:
        """The Dockerfile, parsed."""
        if not self._parsed:
            self._parsed.append(parse_dockerfile(self.text))
        return self._parsed[0]

    @property
    def final(self) -> Stage:
        """The stage that becomes the image."""
        stages = self.dockerfile.stages
        wanted = self.target.lower()
        for index, stage in enumerate(stages):
            if wanted and wanted in (stage.name, str(index)):
                return stage
        return stages[-1]

    def base_of(self, stage: Stage) -> str:
        """Return the image that a stage stands on in the end, "" for one that is computed."""
        named = {one.name: one for one in self.dockerfile.stages if one.name}
        seen: set[str] = set()
        while stage.base.lower() in named and stage.base.lower() not in seen:
            seen.add(stage.base.lower())
            if named[stage.base.lower()] is stage:
                break
            stage = named[stage.base.lower()]
        return "" if "$" in stage.base else stage.base

    def commits_of(self, sources: tuple[str, ...]) -> int:
        """Return how many commits changed something in these paths of the context."""
        prefixes = tuple(clean_source(source) for source in sources)
        return max(
            (
                count
                for path, count in self.changed.items()
                if any(not p or path == p or path.startswith(f"{p}/") for p in prefixes)
            ),
            default=0,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction with the folder, the user and the variables that it runs with."""

    instruction: Instruction
    workdir: str
    user: str
    env: Mapping[str, str]


def steps_of(stage: Stage, *, user: str = "") -> list[Step]:
    """Return a stage's instructions; ``user`` is the base image's."""
    steps: list[Step] = []
    workdir, env = "/", dict[str, str]()
    for one in stage.commands:
        steps.append(Step(one, workdir, user, dict(env)))
        if one.keyword == "WORKDIR" and one.args:
            workdir = absolute(workdir, one.args[0])
        elif one.keyword == "USER" and one.args:
            user = one.args[0]
        elif one.keyword == "ENV":
            env |= dict(zip(one.args[::2], one.args[1::2], strict=False))
    return steps


def is_root(user: str) -> bool:
    """Tell whether a USER is root."""
    return user.partition(":")[0] in ("", "root", "0")


def clean_source(source: str) -> str:
    """Return a COPY's source as a path of the context, "" for the context itself."""
    return absolute("/", source).strip("/")
