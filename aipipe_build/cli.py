"""``aipipe-build``: record, predict, decide, run, optimise, scan, report."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any, NoReturn

# A decision is a short process with ten thousand living objects, started at every commit:
# collecting only costs, and so the imports too come after it was switched off.
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from aipipe_build.predict.job import Job
    from aipipe_build.predict.model import Prediction

_USAGE = """usage: aipipe-build COMMAND [docker build's options] [--json]

  record    note that this state was built: its steps are in the builder's cache
  predict   say for each step whether it will be cached, and if not, why
  decide    say how much has to be built: skip, cached, dependencies, full, unknown
  run       build what has to be built, and compare the prediction with what happened
  optimise  propose a better Dockerfile, each change proven by building both
  scan      say whether what is in an image, or is to be installed, is known to be vulnerable
  report    show a run: what was predicted, what was built, what it saved; or an image's layers
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``aipipe-build`` and return its exit code."""
    if argv is None:
        gc.disable()
    from aipipe_core.command import run_command

    arguments = list(sys.argv[1:] if argv is None else argv)
    code = run_command(_main, arguments)
    if argv is None and "coverage" not in sys.modules:
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """End the process at once: freeing ten thousand objects one by one helps nobody."""
    import os

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # nobody reads it any more
    os._exit(code)


def _main(arguments: Sequence[str]) -> int:
    from aipipe_build.options import make_parser, parse_options
    from aipipe_core.errors import ExitCode, RequestError

    commands = {
        "record": _record,
        "predict": _predict,
        "decide": _decide,
        "run": _run,
        "optimise": _optimise,
        "scan": _scan,
        "report": _report,
    }
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE)
        return int(ExitCode.DONE if arguments else ExitCode.WRONG_REQUEST)
    command = commands.get(arguments[0])
    if command is None:
        raise RequestError(
            "command-unknown",
            f"there is no command {arguments[0]!r}",
            hint=f"The commands are: {', '.join(commands)}.",
        )
    if arguments[0] in ("report", "scan"):
        return command(_own_options(arguments[0], arguments[1:]))
    parser = make_parser(f"aipipe-build {arguments[0]}", (command.__doc__ or "").strip())
    parser.add_argument(
        "--json", action="store_true", help="print a JSON document; =FILE writes it"
    )
    parser.add_argument("--json-file", help="the same as --json=FILE")
    parser.add_argument("--no-engine", action="store_true", help="ask no engine about images")
    if arguments[0] == "record":
        parser.add_argument(
            "--timings", metavar="FILE", help="what --progress=rawjson printed, for the seconds"
        )
    if arguments[0] == "run":
        from aipipe_build.run.command import add_run_options

        add_run_options(parser)
    if arguments[0] == "optimise":
        from aipipe_build.optimise.command import add_optimise_options

        add_optimise_options(parser)
    return command(parse_options(parser, list(arguments[1:])))


def _job(options: argparse.Namespace) -> Job:
    from pathlib import Path

    from aipipe_build.engine.client import EngineClient
    from aipipe_build.options import current_environment, make_request
    from aipipe_build.predict.job import Job

    request = make_request(options, environ=current_environment())
    engine = EngineClient() if options.no_engine else EngineClient.from_environment()
    return Job.open(request, current=Path.cwd(), engine=engine)


def _record(options: argparse.Namespace) -> int:
    """Note that this state was built."""
    from pathlib import Path

    from aipipe_build.record.timings import read_timings

    seconds = read_timings(Path(options.timings)) if options.timings else {}
    state = _job(options).record(seconds)
    if not _answered(options, {"schema": 1, "recorded": len(state.steps)}):
        print(f"recorded {len(state.steps)} steps")
    return 0


def _predict(options: argparse.Namespace) -> int:
    """Say for each step whether it will be cached."""
    from aipipe_build.decide.decide import decide
    from aipipe_build.predict.render import render_prediction

    prediction = _job(options).predict()
    if not _answered(options, _document(prediction)):
        _tell(render_prediction(prediction, decide(prediction)))
    return 0


def _decide(options: argparse.Namespace) -> int:
    """Say how much has to be built."""
    from aipipe_build.decide.decide import decide

    prediction = _job(options).predict()
    decision = decide(prediction)
    if not _answered(options, {**_document(prediction), "reason": decision.reason}):
        _tell(f"{decision.decision}: {decision.reason} (saves {decision.saves_seconds:g} s)\n")
    return 0


def _answered(options: argparse.Namespace, document: dict[str, Any]) -> bool:
    """Give the JSON document where it was asked for; tell whether standard output has it."""
    import json
    from pathlib import Path

    from aipipe_core.errors import SurroundingsError

    text = json.dumps(document) + "\n"
    if options.json_file:
        try:
            Path(options.json_file).write_text(text, encoding="ascii")
        except OSError as error:
            raise SurroundingsError(
                "document-unwritable",
                f"cannot be written: {error.strerror}",
                where=options.json_file,
            ) from error
    if options.json:
        sys.stdout.write(text)
    return bool(options.json)


def _run(options: argparse.Namespace) -> int:
    """Build what has to be built, and compare the prediction with what happened."""
    import json

    from aipipe_build.report.terminal import render_terminal
    from aipipe_build.run.command import run_images
    from aipipe_build.run.outcome import run_document

    outcomes, _, code = run_images(options)
    document = run_document(outcomes)
    if options.json:
        print(json.dumps(document))
    elif not options.quiet:
        _tell(render_terminal(document))
    else:
        print("\n".join(outcome.image for outcome in outcomes if outcome.image))
    return code


def _optimise(options: argparse.Namespace) -> int:
    """Propose a better Dockerfile, each change proven by building both."""
    import json
    from pathlib import Path

    from aipipe_build.optimise.command import optimise
    from aipipe_build.optimise.render import render_outcome
    from aipipe_core.documents import write_document

    outcome, code = optimise(options)
    if options.json_file:
        write_document(Path(options.json_file), "optimise", outcome.as_json())
    if options.json:
        print(json.dumps(outcome.as_json()))
    elif not options.quiet:
        _tell(render_outcome(outcome))
    return code


def _scan(options: argparse.Namespace) -> int:
    """Say whether what is in an image, or is to be installed, is known to be vulnerable."""
    from aipipe_build.scan.command import scan

    text, code = scan(options)
    _tell(text)
    return code


def _report(options: argparse.Namespace) -> int:
    """Show a run: what was predicted, what was built, what it saved."""
    from pathlib import Path

    from aipipe_build.report.command import show_run

    _tell(show_run(options, Path.cwd()))
    return 0


def _own_options(command: str, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options of a command that takes none of ``docker build``'s."""
    from aipipe_build.options import parse_options

    if command == "scan":
        from aipipe_build.scan.command import make_scan_parser

        return parse_options(make_scan_parser(), list(arguments))
    from aipipe_build.report.command import make_report_parser

    return parse_options(make_report_parser(), list(arguments))


def _tell(text: str) -> None:
    """Print what may hold bytes of a Dockerfile or of a file's name that are no text."""
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def _document(prediction: Prediction) -> dict[str, Any]:
    from aipipe_build.decide.decide import decide

    decision = decide(prediction)
    return {
        "schema": 1,
        "decision": str(decision.decision),
        "saves_seconds": decision.saves_seconds,
        "steps": [step.as_json() for step in prediction.steps],
        "warnings": list(prediction.warnings),
    }


if __name__ == "__main__":
    raise SystemExit(main())
