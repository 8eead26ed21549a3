"""Where variants of a Dockerfile are built, looked at, and taken away again."""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aipipe_build.image.archive import load_image
from aipipe_build.predict.job import Job
from aipipe_build.record.make import Made
from aipipe_build.run.argv import Command
from aipipe_build.run.job import ImageJob, Place
from aipipe_build.run.process import run_quietly
from aipipe_build.run.requests import platform_requests
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from aipipe_build.engine.client import EngineClient
    from aipipe_build.image.archive import Image
    from aipipe_build.image.layer import Layer
    from aipipe_build.run.outcome import ImageOutcome

_SECONDS = 120.0


@dataclass(slots=True)
class Built:
    """A variant that was built: its name in the engine, and how the build went."""

    tag: str
    outcome: ImageOutcome


@dataclass(slots=True)
class Workshop:
    """Builds with the options that ``docker build`` was to get. A context manager."""

    options: argparse.Namespace
    engine: EngineClient
    environ: Mapping[str, str]
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="aipipe-optimise-")))
    output: str = ""
    """What the last build that failed has printed."""
    seconds: dict[str, float] = field(default_factory=dict)
    """What each step took when it ran, by its instruction."""
    _bare: dict[str, Image | None] = field(default_factory=dict)
    _keys: set[tuple[str, ...]] = field(default_factory=set)
    _tags: list[str] = field(default_factory=list)
    _layers: dict[str, Layer] = field(default_factory=dict)
    _info: dict[str, Any] | None = None
    _name: str = field(default_factory=lambda: f"aipipe-optimise/{uuid.uuid4().hex[:12]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def build(
        self,
        text: str,
        ignore: str | None,
        *,
        label: str,
        context: Path | None = None,
        no_cache: bool = False,
        sources: Mapping[str, Path] | None = None,
    ) -> Built:
        """Build ``text``. Raises what a build that fails raises.

        ``ignore`` is the ignore file's text, None for the context's own. ``sources`` are
        further named contexts.
        """
        tag = f"{self._name}:{label}"
        options = self._options(self._file(text, ignore, label), tag)
        if context is not None:
            options.context, options.path = str(context), None
        options.no_cache = options.no_cache or no_cache
        options.build_context = [
            *options.build_context,
            *(f"{name}={path}" for name, path in (sources or {}).items()),
        ]
        place = Place(
            current=Path.cwd(),
            records=self.folder,
            run_folder=self.folder / "runs",
            engine=self.engine,
            environ=self.environ,
            out=io.StringIO(),
            engine_id=str(self._about_engine().get("ID", "")),
        )
        job = ImageJob(label, options, place)
        job.open()
        self._tags.append(tag)
        try:
            built = Built(tag, job.run())
        except AipipeError:
            self.output = place.out.getvalue() if isinstance(place.out, io.StringIO) else ""
            raise
        if built.outcome.recorded:
            self._keys |= set(job.fingerprints)
        self.seconds |= {
            step.instruction: step.seconds
            for step in built.outcome.steps
            if step.fact == "ran" and step.seconds is not None
        }
        return built

    def remember(self, text: str, ignore: str | None) -> bool:
        """Put on record, for those who work here, that this builder has built ``text``.

        Tell whether it has: files may have changed since. Raises what a record that cannot be
        written raises.
        """
        options = self._options(self._file(text, ignore, "remembered"), self._name)
        requests = platform_requests(options, dict(self.environ))
        jobs = [Job.open(one, current=Path.cwd(), engine=self.engine) for one in requests]
        if any(job.fingerprint() not in self._keys for job in jobs):
            return False
        for job in jobs:
            job.record(self.seconds, Made(engine=str(self._about_engine().get("ID", ""))))
        return True

    def image(self, built: Built) -> Image:
        """Return what a variant holds."""
        return load_image(built.tag, self.folder, known=self._layers)

    def bare(self, reference: str) -> Image | None:
        """Return a base image as it is; None where the builder cannot get it."""
        if reference not in self._bare:
            self._bare[reference] = None
            options = argparse.Namespace(**{**vars(self.options), "target": None})
            there = Workshop(options, self.engine, self.environ, self.folder, _layers=self._layers)
            with contextlib.suppress(AipipeError):
                built = there.build(f"FROM {reference}\n", None, label=f"bare-{len(self._bare)}")
                self._bare[reference] = there.image(built)
            there.clear()
        return self._bare[reference]

    def drop(self, built: Built) -> None:
        """Take one variant away."""
        self._tags.remove(built.tag)
        run_quietly(Command(("docker", "image", "rm", "--force", built.tag)), self.folder)

    def clear(self) -> None:
        """Take all variants away; the builder's cache keeps their layers."""
        if self._tags:
            command = Command(("docker", "image", "rm", "--force", *self._tags))
            run_quietly(command, self.folder, seconds=_SECONDS)
        self._tags.clear()

    def _file(self, text: str, ignore: str | None, label: str) -> Path:
        folder = self.folder / label
        folder.mkdir(exist_ok=True)
        path = folder / "Dockerfile"
        path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        beside = folder / "Dockerfile.dockerignore"
        beside.unlink(missing_ok=True)
        if ignore is not None:
            beside.write_text(ignore, encoding="utf-8", errors="surrogateescape", newline="")
        return path

    def _options(self, path: Path, tag: str) -> argparse.Namespace:
        """Return the options of one build: the image goes to the engine and nowhere else."""
        ours = {
            "file": str(path), "tag": [tag], "load": "true", "push": None, "output": None,
            "iidfile": None, "metadata_file": None, "quiet": None, "progress": None,
            "attest": None, "sbom": None, "annotation": None, "provenance": ["false"],
            "cache_to": None,
        }  # fmt: skip
        if "io.containerd.snapshotter" in str(self._about_engine().get("DriverStatus")):
            # To compress what is thrown away again takes longer than most builds.
            words = f"type=image,name={tag},compression=uncompressed"
            ours |= {"load": None, "output": [words]}
        return argparse.Namespace(**{**vars(self.options), **ours})

    def _about_engine(self) -> dict[str, Any]:
        if self._info is None:
            self._info = self.engine.info() or {}
        return self._info
