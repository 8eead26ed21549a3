"""What the makers of vertices share: the request, where inputs come from, the steps so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.expand import Expander, ExpansionError
from aipipe_build.keys.model import BaseImage, Input, Source, Step, Vertex
from aipipe_build.keys.reference import familiar_reference, normalise_reference
from aipipe_build.keys.stages import SCRATCH
from aipipe_build.light import field, light

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_build.context.digest import Selector
    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.keys.platform import Platform
    from aipipe_build.keys.sources import Contexts, Downloads, Images
    from aipipe_build.keys.stages import StageGraph, StageNode
    from aipipe_build.keys.state import StageState
    from aipipe_build.request import BuildRequest


@light()
class Making:
    """One graph in the making."""

    request: BuildRequest
    contexts: Contexts
    images: Images
    downloads: Downloads
    stages: StageGraph
    expander: Expander
    meta_args: Mapping[str, str | None]
    target_platform: Platform
    merges: bool
    """Whether the builder keeps ``COPY --link`` apart from the layers below it."""
    states: dict[int, StageState] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    seen_images: dict[str, BaseImage] = field(default_factory=dict)

    def expand(self, word: str, state: StageState, line: int) -> str:
        """Expand one word in a stage's environment. Raises :class:`DockerfileError`."""
        try:
            return self.expander.word(word, state.env)
        except ExpansionError as error:
            raise DockerfileError(str(error), line=line) from error

    def add_step(
        self, state: StageState, instruction: Instruction, text: str, vertex: Vertex
    ) -> None:
        """Note the line that progress will show for ``vertex``."""
        head, _, tail = text.partition(" ")
        shown = f"{head.upper()} {tail}" if tail or text.endswith(" ") else head.upper()
        self.steps.append(
            Step(
                stage=self.stages.display_name(state.node),
                line=instruction.start,
                end_line=instruction.end,
                instruction=shown,
                keyword=instruction.keyword,
                vertex=vertex,
            )
        )

    def image_vertex(self, reference: str, platform: Platform) -> tuple[Vertex, BaseImage]:
        """Return the vertex of an image and what is known of it."""
        full = normalise_reference(reference)
        image = self.images.resolve(full, platform)
        self.seen_images[full] = image
        if image.identity:
            return Vertex(Source.IMAGE, ("layers", image.identity)), image
        reason = f"nobody could tell what the image {reference} holds now"
        return Vertex(Source.IMAGE, ("reference", full, str(platform)), uncertain=reason), image

    def named_context(self, name: str, platform: Platform) -> str | None:
        """Return what ``--build-context`` sets for ``name``, if it does."""
        if name.lower() in (SCRATCH, "context"):
            return None
        contexts = self.request.build_contexts
        if not contexts:
            return None
        short = familiar_reference(name)
        return contexts.get(f"{short}::{platform}", contexts.get(short))

    def outside_vertex(self, spec: str) -> Vertex | None:
        """Return the vertex of a named context that is no local folder, None for one that is."""
        if spec.startswith("docker-image://"):
            reference = spec.removeprefix("docker-image://")
            if reference == SCRATCH:
                return None
            return self.image_vertex(reference, self.target_platform)[0]
        kind = Source.GIT if spec.startswith("git") else Source.HTTP
        return Vertex(kind, (spec,), uncertain=f"the context {spec} is not on this machine")

    def stage_input(self, node: StageNode, selectors: Sequence[Selector]) -> Input:
        """Return the input that reads ``selectors`` of another stage or image."""
        if not node.implicit:
            state = self.states[id(node)]
            if state.local_root is not None:
                return self.context_input(state.local_root, selectors)
            return Input(state.vertex, by_content=True, selectors=tuple(selectors))
        spec = self.named_context(node.base_name, self.target_platform)
        if spec is not None:
            if is_local(spec):
                return self.context_input(spec, selectors)
            return Input(self.outside_vertex(spec), by_content=True, selectors=tuple(selectors))
        if node.base_name == SCRATCH:
            return Input(None, content="scratch")
        vertex, _ = self.image_vertex(node.base_name, self.target_platform)
        return Input(vertex, by_content=True, selectors=tuple(selectors))

    def context_input(self, name: str, selectors: Sequence[Selector]) -> Input:
        """Return the input that reads ``selectors`` of a local context."""
        content = self.contexts.content(name, selectors)
        return Input(content=content, selectors=tuple(selectors), context=name)


def is_local(spec: str) -> bool:
    """Tell whether a named context is a folder of this machine."""
    return "://" not in spec and not spec.startswith("git@") and not spec.startswith("target:")
