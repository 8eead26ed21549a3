"""Record and predict as lists of steps: read the file, make the graph, compare, keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.context.local import LocalContexts
from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import read_dockerfile
from aipipe_build.engine.downloads import HttpDownloads
from aipipe_build.engine.images import KnownImages
from aipipe_build.keys.compute import KeyRing
from aipipe_build.keys.convert import build_graph
from aipipe_build.light import field, light, replace
from aipipe_build.predict.predict import agree, predict_graph
from aipipe_build.predict.syntax import doubt_of_syntax
from aipipe_build.record.location import record_folders
from aipipe_build.record.store import RecordStore
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_build.dockerfile.model import Dockerfile
    from aipipe_build.engine.client import EngineClient
    from aipipe_build.keys.model import BuildGraph
    from aipipe_build.predict.model import Prediction
    from aipipe_build.record.make import Made
    from aipipe_build.record.model import History, State
    from aipipe_build.request import BuildRequest

_SNAPSHOTTER = "io.containerd.snapshotter"


@light()
class Job:
    """One request with everything that stands around it."""

    request: BuildRequest
    store: RecordStore
    engine: EngineClient
    history: History
    contexts: LocalContexts
    _info: list[bool | None] = field(default_factory=list)

    @classmethod
    def open(cls, request: BuildRequest, *, current: Path, engine: EngineClient) -> Job:
        """Find the record of the request's builder and its contexts."""
        if not request.context.is_dir():
            raise RequestError(
                "context-missing", "there is no such build context", where=str(request.context)
            )
        store = RecordStore(record_folders(request, current), request.builder)
        contexts = LocalContexts(request, memory=store.memory)
        return cls(request, store, engine, store.load(), contexts)

    def predict(self) -> Prediction:
        """Predict the build that was asked for."""
        dockerfile = self.dockerfile()
        found = [
            predict_graph(
                self.graph(dockerfile, merges=merges, for_record=False),
                self.history,
                manifest_now=self.contexts.manifest,
                manifest_then=self.store.manifest,
                meaning=self._meaning,
                doubt=doubt_of_syntax(dockerfile.syntax),
            )
            for merges in self.merge_modes(dockerfile)
        ]
        self.contexts.save()
        stale = tuple(
            f"{path} changed behind an equal size and time: the builder will not notice"
            for path in self.contexts.stale()
        )
        return replace(agree(found), warnings=stale)

    def fingerprint(self) -> tuple[str, ...]:
        """Return the keys that a record would hold now: equal ones stand for the same build."""
        dockerfile = self.dockerfile()
        ring = KeyRing()
        return tuple(
            ring.keys(step.vertex).exact
            for merges in self.merge_modes(dockerfile)
            for step in self.graph(dockerfile, merges=merges, for_record=True).steps
        )

    def record(self, seconds: Mapping[str, float], made: Made | None = None) -> State:
        """Write down that the build that was asked for has succeeded; ``made`` is its result."""
        from aipipe_build.record.make import Made, record_state

        made = made or Made()
        dockerfile = self.dockerfile()
        states = [
            record_state(
                self.graph(dockerfile, merges=merges, for_record=True),
                self.request,
                store=self.store,
                contexts=self.contexts,
                seconds=seconds,
                merges=self._info[0] if self._info else self.history.merges,
                # What is dropped is dropped once: the second way stands beside the first.
                made=made if index == 0 else replace(made, alone=False),
            )
            for index, merges in enumerate(self.merge_modes(dockerfile))
        ]
        return states[0]

    def _meaning(self, path: str, leaf_then: str) -> str:
        """Say what an edit of a manifest or lock file means, "" for other files."""
        from aipipe_build.decide.requirements import NOTES, is_manifest, meaning_of_edit

        if not is_manifest(path):
            return ""
        before = self.store.text(leaf_then.rpartition(":")[2])
        try:
            after = (self.request.context / path).read_text(
                encoding="utf-8", errors="surrogateescape"
            )
        except OSError:
            return ""
        return "" if before is None else NOTES[meaning_of_edit(path, before, after)]

    def merge_modes(self, dockerfile: Dockerfile) -> list[bool]:
        """Return how ``COPY --link`` may work: both ways while nobody could tell."""
        linked = any("--link" in one.original for one in dockerfile.instructions)
        if not linked:
            return [True]  # and no engine has to be asked
        merges = self._merges()
        return [True, False] if merges is None else [merges]

    def dockerfile(self) -> Dockerfile:
        """Read the request's Dockerfile. Raises :class:`RequestError`."""
        path = self.request.dockerfile
        try:
            return read_dockerfile(path)
        except OSError as error:
            raise RequestError(
                "dockerfile-missing",
                f"the Dockerfile cannot be read: {error.strerror}",
                where=str(path),
                hint="Name another one with --file.",
            ) from error

    def graph(self, dockerfile: Dockerfile, *, merges: bool, for_record: bool) -> BuildGraph:
        """Make the build's graph, once with and once without merges where that is open."""
        images = KnownImages(self.engine, self.history.images, for_record=for_record)
        try:
            return build_graph(
                dockerfile,
                self.request,
                contexts=self.contexts,
                images=images,
                downloads=HttpDownloads(),
                merges=merges,
            )
        except DockerfileError as error:
            name = self.request.dockerfile.name
            raise DockerfileError(
                error.what, line=error.line, hint=error.hint, file=name
            ) from error

    def _merges(self) -> bool | None:
        """Tell whether the builder can keep ``COPY --link`` apart: containerd's store can."""
        if not self._info:
            info = self.engine.info()
            rows = (info or {}).get("DriverStatus") or []
            apart = any(_SNAPSHOTTER in str(value) for row in rows for value in row)
            self._info.append(self.history.merges if info is None else apart)
        return self._info[0]
