"""``aipipe-build optimise``: look, build, propose, prove, replay, tell, write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_build.config import load_config
from aipipe_build.engine.client import EngineClient
from aipipe_build.optimise.look import look, place_of
from aipipe_build.optimise.model import ModelRule, model_client
from aipipe_build.optimise.outcome import Measure, Outcome
from aipipe_build.optimise.prove import Original
from aipipe_build.optimise.replay import replay
from aipipe_build.optimise.rules.every import RULES
from aipipe_build.optimise.search import Search
from aipipe_build.optimise.smoke import choose_smoke
from aipipe_build.optimise.workshop import Workshop
from aipipe_build.optimise.write import write_rewrite
from aipipe_build.options import current_environment, make_request
from aipipe_build.run.command import require_buildx
from aipipe_core.change.git import top_of
from aipipe_core.errors import AipipeError, ExitCode, RequestError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from aipipe_build.config import BuildConfig
    from aipipe_build.optimise.look import Place
    from aipipe_build.optimise.situation import Rule
    from aipipe_build.request import BuildRequest


def add_optimise_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``optimise`` takes beside ``docker build``'s own options."""
    parser.add_argument("--write", action="store_true", help="rewrite the Dockerfile")
    parser.add_argument("--smoke", metavar="COMMAND", help="what must work in the image")
    parser.add_argument("--smoke-seconds", metavar="N", help="how long that may take (30)")
    parser.add_argument("--max-size", metavar="SIZE", help="the image's limit (500MB; 0 for none)")
    parser.add_argument("--replay", metavar="N", help="commits to build both ways (20)")
    parser.add_argument(
        "--rules", metavar="LIST", help=f"which rules, by name: {','.join(RULES)},model"
    )


def optimise(options: argparse.Namespace) -> tuple[Outcome, int]:
    """Do it all; return the outcome and the exit code.

    Raises what a Dockerfile that cannot be read or built raises; it is then untouched.
    """
    here = Path.cwd()
    environ = current_environment()
    request = make_request(options, environ=environ)
    config = load_config(_root(here), environ=environ, flags=_flags(options))
    names = _names(options.rules)
    place = place_of(request)
    engine = EngineClient.from_environment()
    require_buildx(here)
    tell = _teller(quiet=bool(options.quiet))
    with Workshop(options, engine, environ) as workshop:
        outcome = _search(place, request, config, workshop, names, tell)
        _remember(outcome, workshop, tell)
    code = ExitCode.DONE if outcome.fits else ExitCode.NO
    if options.write and outcome.changed and outcome.worth_it:
        write_rewrite(place, outcome.text_after, outcome.ignore_after)
        outcome.written = True
    return outcome, int(code)


def _remember(outcome: Outcome, workshop: Workshop, tell: Callable[[str], None]) -> None:
    """Record both texts: the builder has their layers, and the next build will find them."""
    states = [(outcome.text_before, outcome.ignore_before)]
    if outcome.changed:
        states.append((outcome.text_after, outcome.ignore_after))
    try:
        known = [workshop.remember(*state) for state in states]
        if not all(known):
            tell("files changed since they were built: not all is on record")
    except AipipeError as error:
        tell(f"nothing was recorded: {error}")


def _search(
    place: Place,
    request: BuildRequest,
    config: BuildConfig,
    workshop: Workshop,
    names: list[str],
    tell: Callable[[str], None],
) -> Outcome:
    tell("building the image as it is")
    try:
        built = workshop.build(place.text, place.ignore, label="original")
    except AipipeError:
        tell(workshop.output.rstrip())
        raise
    image = workshop.image(built)
    smoke = choose_smoke(config.smoke, image.config.get("config") or {})
    original = Original(place.text, place.ignore, built, image, smoke, config.smoke_seconds)
    search = Search(
        look(place, request, workshop, image), original, workshop, tell, image, place.ignore
    )
    rules: dict[str, Rule] = {}
    client = model_client(_root(Path.cwd()), workshop.environ) if "model" in names else None
    if client is not None:
        sizes: Callable[[str], int] = lambda path: (request.context / path).lstat().st_size  # noqa: E731
        rules["model"] = ModelRule(client, sizes, tell)
    search.run(names, rules)
    outcome = Outcome(
        dockerfile=_shown(place.dockerfile),
        ignore_file=_shown(place.ignore_file),
        target=request.target,
        before=Measure.of(image),
        after=Measure.of(search.image),
        limit=config.max_size,
        smoke=_smoke_text(original, workshop),
        text_before=place.text,
        text_after=search.situation.text,
        ignore_before=place.ignore,
        ignore_after=search.ignore,
        judged=search.judged,
    )
    if outcome.changed and config.replay:
        outcome.replay = replay(
            (place.text, place.ignore),
            (outcome.text_after, outcome.ignore_after),
            context=request.context,
            count=config.replay,
            workshop=workshop,
            tell=tell,
        )
    return outcome


def _smoke_text(original: Original, workshop: Workshop) -> str:
    result = original.smoked(workshop)
    said = f": {result.said}" if result.said and not result.passed else ""
    return f"{original.smoke.text} {result.state}{said}"


def _shown(path: Path) -> str:
    """Return a path as those who work here would write it."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)


def _names(given: str | None) -> list[str]:
    known = [*RULES, "model"]
    if given is None:
        return known
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise RequestError(
                "option-wrong", f"there is no rule {name!r}", hint=f"Known: {', '.join(known)}."
            )
    return names


def _flags(options: argparse.Namespace) -> dict[str, object]:
    names = ("smoke", "smoke_seconds", "max_size", "replay")
    return {name: getattr(options, name) for name in names}


def _root(here: Path) -> Path:
    try:
        return top_of(here)
    except AipipeError:
        return here


def _teller(*, quiet: bool) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if not quiet:
            print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True)

    return tell
