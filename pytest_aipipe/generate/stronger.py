"""Sharpening with the means of one generation: its processes, engines, gate and clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_aipipe.gate.fresh import Refused
from pytest_aipipe.generate import strength
from pytest_aipipe.generate.kept import ran_by
from pytest_aipipe.generate.scene import read_sources, scene_for
from pytest_aipipe.generate.sharpen import Sharpener
from pytest_aipipe.generate.stages import without_waiting
from pytest_aipipe.generate.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.assertions.settle import Settled
    from pytest_aipipe.generate.kept import Fault, Kept, Ran
    from pytest_aipipe.generate.model import Gap, Scene
    from pytest_aipipe.generate.strength import Faults
    from pytest_aipipe.generate.workshop import Workshop
    from pytest_aipipe.mutate.model import MutationScore


@dataclass
class _Clock:
    """The time for making tests stronger, which ends at ``end`` (monotonic)."""

    shop: Workshop
    end: float

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.end - time.monotonic()

    def extend(self) -> bool:
        """Take more of the budget, where it has more; return whether it had."""
        seconds = strength.sharpening(self.shop.request.budget, self.shop.left_in_all)
        if seconds < strength.LEAST_SECONDS:
            return False
        self.end = time.monotonic() + seconds
        return True

    def bound(self, seconds: float) -> None:
        """Give up what is left beyond ``seconds``."""
        self.end = min(self.end, time.monotonic() + seconds)


def make_stronger(shop: Workshop, until: float) -> list[Kept]:
    """Return the kept tests made stronger, and further ones; ends at ``until`` (monotonic).

    Where many faults are left open then, it goes on for as long again as the budget allows.
    """
    request = shop.request
    found, _ = strength.faults_in(request, *ran_by(shop.kept))
    if not found:
        return shop.kept
    sources = read_sources(request.tests)
    ready = shop.explorer.ready

    clock = _Clock(shop, until)

    def faults(tests: Sequence[Kept], more: Ran) -> Faults:
        ran, _ = ran_by(tests)
        for path, lines in more.items():
            ran[path] = ran.get(path, frozenset()) | lines
        return strength.faults_in(request, ran)[0]

    def scene(gap: Gap) -> Scene:
        return scene_for(
            gap,
            request,
            calls=shop.calls,
            test_sources=sources,
            fixtures=ready.fixtures,
            async_mark=ready.async_mark,
        )

    def judge(files: dict[str, str], faults: Faults) -> MutationScore:
        return strength.try_faults(request, shop.launch.sandbox, files, faults, clock.left())

    def gate(settled: Settled, gap: Gap, engine: str, kills: frozenset[Fault]) -> Kept | None:
        verdict = shop.gated(settled, gap)
        if isinstance(verdict, Refused):
            shop.refuse(settled.candidate, gap, engine, verdict.reason)
            return None
        return shop.keep(settled, gap, engine, verdict, kills)

    tools = Tools(
        request=request,
        explorer=shop.explorer,
        engines=without_waiting(shop.engines),
        scene=scene,
        pool=shop.pool,
        sources=sources,
        judge=judge,
        gate=gate,
        left=clock.left,
        extend=clock.extend,
        bound=clock.bound,
        faults=faults,
        count=shop.tally.tried,
    )
    return Sharpener(tools, found).sharpened(shop.kept)
