"""Generation as a list of steps: explore, settle, gate, thin out, compose, check together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError
from pytest_aipipe.gate.rules import RULES, Rule
from pytest_aipipe.generate.request import Progress, Request, Result
from pytest_aipipe.generate.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_aipipe.generate.model import Candidate, Engine


def generate(
    request: Request,
    progress: Progress,
    *,
    engines: Sequence[Engine] | None = None,
    rules: Sequence[Rule] = (),
    explored: Callable[[Sequence[Candidate]], None] = lambda _: None,
) -> Result:
    """Return tests for the request's gaps, gated, and the files that they make.

    ``engines`` are asked in their order, the embedded one when None; ``rules`` are asked
    after the gate's own. ``explored`` is told of the tests at hand once no more gaps are worked
    on and before these are made stronger: other work may begin beside that. Nothing is written.
    An interrupt ends the work early and returns what had been admitted by then. Raises
    :class:`aipipe_core.errors.SurroundingsError` where no child pytest comes up.
    """
    if engines is None:
        from pytest_aipipe.engines import default_engines

        engines = default_engines()
    if not request.gaps or not engines:
        return Result()
    with Workshop(request, progress, engines=engines, rules=(*RULES, *rules)) as workshop:
        try:
            workshop.explore()
        except KeyboardInterrupt:
            workshop.note("Interrupted: what follows was admitted before that.")
        except SurroundingsError as error:
            if not workshop.kept:
                raise
            workshop.note(str(error))
        explored([one.settled.candidate for one in workshop.kept])
        return workshop.finish()
