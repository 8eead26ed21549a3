"""Rule after rule: what is proven is kept, and the next rule works on that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.optimise.proposal import Effects, Judged, Status
from aipipe_build.optimise.prove import prove
from aipipe_build.optimise.rules.advice import advise
from aipipe_build.optimise.rules.every import REPEATED, RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.proposal import Proposal
    from aipipe_build.optimise.prove import Original
    from aipipe_build.optimise.situation import Rule, Situation
    from aipipe_build.optimise.workshop import Workshop

_MOST_STEPS = 6


@dataclass(slots=True)
class Search:
    """What has been tried, and where it has led. ``situation`` has the best text so far."""

    situation: Situation
    original: Original
    workshop: Workshop
    tell: Callable[[str], None]
    image: Image
    ignore: str | None
    effects: Effects = field(default_factory=Effects)
    judged: list[Judged] = field(default_factory=list)
    _count: int = 0

    def run(self, names: Iterable[str], rules: Mapping[str, Rule] | None = None) -> None:
        """Try the rules of these names, in their own order."""
        known = {**RULES, **(rules or {})}
        wanted = set(names)
        for name, rule in known.items():
            if name in wanted:
                self._rule(name, rule)
        self.judged += [Judged(one, Status.SUGGESTION, one.why) for one in advise(self.situation)]

    def _rule(self, name: str, rule: Rule) -> None:
        for _ in range(_MOST_STEPS if name in REPEATED else 1):
            proposal = rule(self.situation)
            if proposal is None or not self._try(proposal):
                return

    def _try(self, proposal: Proposal) -> bool:
        """Prove one proposal and keep it; tell whether it was proven."""
        problem = self._problem(proposal)
        if problem:
            self.judged.append(Judged(proposal, Status.SUGGESTION, problem))
            return False
        self.tell(f"{proposal.rule}: {proposal.title}")
        self._count += 1
        text = self.situation.text if proposal.text is None else proposal.text
        ignore = self.ignore if proposal.ignore is None else proposal.ignore
        variant = prove(
            proposal,
            self.original,
            self.workshop,
            text=text,
            ignore=ignore,
            effects=self.effects,
            label=f"try-{self._count}",
        )
        self.judged.append(variant.judged)
        self.tell(f"  {variant.judged.status}: {variant.judged.reason}")
        proven = variant.judged.status is Status.PROVEN
        if proven and variant.image is not None:
            self.effects |= proposal.effects
            self.image = variant.image
            self.ignore = ignore
            self.situation = replace(self.situation, text=text, ignore=ignore, _parsed=[])
        if variant.built is not None:
            self.workshop.drop(variant.built)
        return proven

    def _problem(self, proposal: Proposal) -> str:
        """Return why a proposal is not worth a build, "" when it is."""
        if proposal.text is None and proposal.ignore is None:
            return proposal.why
        if proposal.text == self.situation.text and proposal.ignore is None:
            return "it changes nothing"
        try:
            parse_dockerfile(proposal.text or self.situation.text)
        except DockerfileError as error:
            return f"the rewrite is no Dockerfile: {error}"
        return ""
