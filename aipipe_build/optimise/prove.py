"""The proof of a rewrite: both are built, looked into, and run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_build.optimise.compare import bases_own_modules, compare_images, tree_changes
from aipipe_build.optimise.harmless import OTHER
from aipipe_build.optimise.proposal import Effects, Judged, Proposal, Status
from aipipe_build.optimise.smoke import SmokeResult, importable, run_smoke
from aipipe_core.errors import AipipeError, ExitCode

if TYPE_CHECKING:
    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.compare import Comparison
    from aipipe_build.optimise.smoke import Smoke
    from aipipe_build.optimise.workshop import Built, Workshop

_SHOWN = 20
_ENGINES = frozenset({"engine-down", "engine-died", "engine-disk-full", "docker-missing"})


@dataclass(slots=True)
class Original:
    """The image as it is: what every rewrite is compared with. It is smoked once."""

    text: str
    ignore: str | None
    built: Built
    image: Image
    smoke: Smoke
    seconds: float
    _result: SmokeResult | None = None
    _modules: list[set[str] | None] = field(default_factory=list)
    _noise: list[frozenset[str]] = field(default_factory=list)

    def smoked(self, workshop: Workshop) -> SmokeResult:
        """Return how the smoke run ends in it."""
        if self._result is None:
            self._result = run_smoke(self.smoke, self.built.tag, workshop.folder, self.seconds)
        return self._result

    def modules(self, workshop: Workshop) -> set[str] | None:
        """Return the modules that it can import."""
        if not self._modules:
            self._modules.append(importable(self.built.tag, workshop.folder, self.seconds * 4))
        return self._modules[0]

    def noise(self, workshop: Workshop) -> frozenset[str]:
        """Return the files whose content is another after each build of the very same text."""
        if not self._noise:
            again = workshop.build(self.text, self.ignore, label="again", no_cache=True)
            other = workshop.image(again)
            changes = tree_changes(self.image.tree.entries, other.tree.entries)
            self._noise.append(frozenset(c.path for c in changes if c.content))
        return self._noise[0]


@dataclass(frozen=True, slots=True)
class Variant:
    """A rewrite that was built, with its verdict."""

    judged: Judged
    built: Built | None = None
    image: Image | None = None


def prove(
    proposal: Proposal,
    original: Original,
    workshop: Workshop,
    *,
    text: str,
    ignore: str | None,
    effects: Effects,
    label: str,
) -> Variant:
    """Judge the rewrite to ``text``; ``effects`` are those of all that was accepted before, too.

    Raises where no engine is left that could build; a build that fails proves nothing.
    """
    try:
        built = workshop.build(text, ignore, label=label)
    except AipipeError as error:
        if error.slug in _ENGINES or error.exit_code == ExitCode.INTERRUPTED:
            raise
        return Variant(_unproven(proposal, f"it does not build: {error}"))
    image = workshop.image(built)
    effects = effects | proposal.effects
    comparison = _compared(original, image, effects, workshop)
    judged = Judged(
        proposal,
        Status.REFUSED,
        differences=tuple(change.text for change in comparison.changes[:_SHOWN]),
        allowed=dict(comparison.allowed),
        size=image.size,
    )
    if not comparison.equal:
        more = len(comparison.changes)
        judged.reason = f"the image differs in {more} place{'s' * (more != 1)}"
    elif effects.probe_imports and (
        lost := _lost_modules(original, built, workshop)
        - bases_own_modules(original.image, image, effects)
    ):
        judged.reason = f"these modules can no longer be imported: {', '.join(sorted(lost))}"
    else:
        _smoke(judged, original, built, workshop)
    return Variant(judged, built, image)


def _unproven(proposal: Proposal, reason: str) -> Judged:
    return Judged(proposal, Status.SUGGESTION, reason)


def _compared(original: Original, image: Image, effects: Effects, workshop: Workshop) -> Comparison:
    """Compare; a second build of the original is paid for only where contents differ."""
    found = compare_images(original.image, image, effects)
    kinds = {change.path for change in found.changes if change.way == OTHER}
    if not kinds or any(path.startswith(("config:", "package:")) for path in kinds):
        return found
    try:
        noise = original.noise(workshop)
    except AipipeError:
        return found  # that it does not build twice excuses nothing
    return compare_images(original.image, image, effects, noise=noise)


def _lost_modules(original: Original, built: Built, workshop: Workshop) -> set[str]:
    before = original.modules(workshop)
    if before is None:
        return set()
    return before - (importable(built.tag, workshop.folder, original.seconds * 4) or set())


def _smoke(judged: Judged, original: Original, built: Built, workshop: Workshop) -> None:
    """Run the smoke command in both, and set the verdict."""
    before = original.smoked(workshop)
    smoke = original.smoke
    if not before.passed:
        judged.status = Status.SUGGESTION
        judged.reason = (
            f"{smoke.text} {before.state} in the image as it is"
            f"{f' ({before.said})' if before.said else ''}, so that it proves nothing; "
            "name a command that passes as smoke in [build]"
        )
        judged.smoke = before.state
        return
    after = run_smoke(smoke, built.tag, workshop.folder, original.seconds)
    judged.smoke = after.state
    if not after.passed or after.state != before.state:
        judged.reason = f"{smoke.text} {before.state} before, and now {after.state} ({after.said})"
    elif judged.proposal.effects.own_smoke and smoke.kind == "entry":
        judged.status = Status.SUGGESTION
        judged.reason = (
            "the image holds the same and its entry point starts, which does not show that it can "
            "do its work so; name a smoke command in [build], or give the image a HEALTHCHECK"
        )
    else:
        judged.status = Status.PROVEN
        judged.reason = f"holds the same, and {smoke.text} {after.state} in both"
