"""``aipipe-build run``: one image, or all that a change reaches, and the report of it."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_build.engine.client import EngineClient
from aipipe_build.options import current_environment, make_parser, parse_options
from aipipe_build.record.location import record_folders
from aipipe_build.run.argv import version_command
from aipipe_build.run.images import (
    ImageSpec,
    build_order,
    find_bake_file,
    find_dockerfiles,
    read_bake,
    stands_on,
)
from aipipe_build.run.job import ImageJob, Place
from aipipe_build.run.outcome import ImageOutcome, Result, run_document
from aipipe_build.run.process import run_quietly
from aipipe_build.run.reproduce import source_epoch
from aipipe_core.change.git import top_of
from aipipe_core.documents import write_document
from aipipe_core.errors import AipipeError, ExitCode, SurroundingsError

if TYPE_CHECKING:
    import argparse

_OLDEST = (0, 13)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``run`` takes beside ``docker build``'s own options."""
    parser.add_argument("--run", metavar="DIR", help="the run's folder (.aipipe/runs/<id>)")
    parser.add_argument(
        "--at-least",
        default="",
        choices=["skip", "cached", "dependencies", "full"],
        help="what is changed is built by at least this much, whatever is cached",
    )
    parser.add_argument(
        "--measure", action="store_true", help="measure the image's layers, for the report"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.add_argument(
        "--reproducible",
        action="store_true",
        help="every time stamp is SOURCE_DATE_EPOCH, else the last commit's",
    )
    parser.add_argument(
        "--all",
        nargs="?",
        const="",
        metavar="FILE",
        help="all images: of a bake or compose file, else one a Dockerfile",
    )


def run_images(options: argparse.Namespace) -> tuple[list[ImageOutcome], Path, int]:
    """Build what has to be built; return the outcomes, the document's path and the exit code."""
    here = Path.cwd()
    environ = current_environment()
    engine = EngineClient.from_environment()
    jobs, first = _jobs(options, here)
    file = Path(options.json_file) if options.json_file else None
    folder = Path(options.run or (file.parent if file else _run_folder(first, here)))
    place = Place(
        current=here,
        run_folder=folder,
        engine=engine,
        environ=environ,
        out=sys.stderr,
        engine_id=str((engine.info() or {}).get("ID", "")),
        epoch=source_epoch(here, environ) if options.reproducible else None,
        at_least=options.at_least,
        versions={} if options.dry_run else {"buildx": require_buildx(here)},
    )
    made = [ImageJob(name, words, place) for name, words in jobs]
    code = _run_in_order(made, dry=options.dry_run)
    outcomes = [job.outcome for job in made]
    path = file or folder / "build.json"
    if not options.dry_run:
        write_document(path, "build", run_document(outcomes))
        if options.measure:
            _measure(path.parent, outcomes, here)
    return outcomes, path, code


def _measure(folder: Path, outcomes: list[ImageOutcome], here: Path) -> None:
    """Keep the sizes of what was built; that they cannot be had fails no build."""
    from aipipe_build.report.image import keep_measures

    images = [(one.name, (*one.tags, one.image)[0]) for one in outcomes if one.image]
    try:
        keep_measures(folder, images, here)
    except AipipeError as error:
        print(f"The image was not measured: {error}", file=sys.stderr)


def _jobs(
    options: argparse.Namespace, here: Path
) -> tuple[list[tuple[str, argparse.Namespace]], argparse.Namespace]:
    """Return the options of every image by name, and those of the first."""
    if options.all is None:
        context = Path(options.context or options.path or ".")
        name = (options.tag or [context.resolve().name])[0]
        return [(name, options)], options
    parser = make_parser("aipipe-build run", "")
    specs = _specs(options.all, here)
    parsed = [(spec.name, parse_options(parser, list(spec.words))) for spec in specs]
    for _, one in parsed:
        for name in ("builder", "push", "load", "progress", "cache_from", "cache_to", "quiet"):
            given = getattr(options, name)
            if given:
                setattr(one, name, given)
        one.no_cache = one.no_cache or options.no_cache
    if not parsed:
        raise SurroundingsError("images-none", "there is no Dockerfile here", where=str(here))
    return parsed, parsed[0][1]


def _specs(given: str, here: Path) -> list[ImageSpec]:
    file = Path(given) if given else find_bake_file(here)
    if file is None:
        return find_dockerfiles(top_of(here))
    return read_bake(file)


def _run_folder(options: argparse.Namespace, here: Path) -> Path:
    """Return a new folder beside the records: a run must not change what the next one copies."""
    from aipipe_build.run.requests import platform_requests

    request = platform_requests(options, current_environment())[0]
    records = record_folders(request, here)[0]
    runs = records.parent / "runs" if records.name == "build" else records / "runs"
    return runs / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}"


def _run_in_order(jobs: list[ImageJob], *, dry: bool) -> int:
    """Run the jobs in the order in which they stand on each other; return the exit code."""
    for job in jobs:
        job.open()
    tags = {job.outcome.name: job.outcome.tags for job in jobs}
    needs = {job.outcome.name: job.images() for job in jobs}
    by_name = {job.outcome.name: job for job in jobs}
    code = ExitCode.DONE
    moved: dict[str, str] = {}
    for name in build_order(needs, tags):
        job = by_name[name]
        below = sorted(one for one in stands_on(needs[name], tags) if one in moved)
        if below and (dry or by_name[below[0]].outcome.result is not Result.BUILT):
            job.outcome.decision = "unknown"
            job.outcome.reason = f"it stands on {below[0]}, which {moved[below[0]]}"
            moved[name] = moved[below[0]]
            continue
        if below:
            job.open()  # what it stands on is another image now
        code = max(code, _run_one(job, moved, dry=dry))
    return code


def _run_one(job: ImageJob, moved: dict[str, str], *, dry: bool) -> ExitCode:
    """Run one job, noting in ``moved`` what the images above it have to know."""
    outcome = job.outcome
    if dry:
        job.predict()
        if outcome.decision != "skip":
            moved[outcome.name] = "is built first"
        return ExitCode.DONE
    try:
        job.run()
    except AipipeError as error:
        moved[outcome.name] = "failed"
        print(job.mask(str(error)), file=sys.stderr)
        return error.exit_code
    if outcome.result is Result.BUILT:
        moved[outcome.name] = "was built"
    return ExitCode.DONE


def require_buildx(folder: Path) -> str:
    """Return buildx's version. Raises ``buildx-missing`` for none, or one too old."""
    ended = run_quietly(version_command(), folder)
    found = re.search(r"v?(\d+)\.(\d+)\S*", ended.output)
    if ended.code or not found or (int(found[1]), int(found[2])) < _OLDEST:
        raise SurroundingsError(
            "buildx-missing",
            "the Docker client has no buildx 0.13 or later, which tells what was cached",
            where=" ".join(ended.said.split())[:100],
            hint="Install docker-buildx.",
        )
    return found[0]
