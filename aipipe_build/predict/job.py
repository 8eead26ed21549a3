"""Record and predict as lists of steps: read the file, make the graph, compare, keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aipipe_build.context.local import LocalContexts
from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import read_dockerfile
from aipipe_build.engine.client import EngineClient
from aipipe_build.engine.downloads import HttpDownloads
from aipipe_build.engine.images import KnownImages
from aipipe_build.keys.convert import build_graph
from aipipe_build.predict.predict import predict_graph
from aipipe_build.predict.syntax import doubt_of_syntax
from aipipe_build.record.location import record_folders
from aipipe_build.record.make import record_state
from aipipe_build.record.store import RecordStore
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_build.dockerfile.model import Dockerfile
    from aipipe_build.keys.model import BuildGraph
    from aipipe_build.predict.model import Prediction
    from aipipe_build.record.model import History, State
    from aipipe_build.request import BuildRequest

_SNAPSHOTTER = "io.containerd.snapshotter"


@dataclass(slots=True)
class Job:
    """One request with everything that stands around it."""

    request: BuildRequest
    store: RecordStore
    engine: EngineClient
    history: History
    contexts: LocalContexts

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
        dockerfile = self._dockerfile()
        graph = self._graph(dockerfile, for_record=False)
        prediction = predict_graph(
            graph,
            self.history,
            manifest_now=self.contexts.manifest,
            manifest_then=self.store.manifest,
            doubt=doubt_of_syntax(dockerfile.syntax),
        )
        self.contexts.save()
        stale = tuple(
            f"{path} changed behind an equal size and time: the builder will not notice"
            for path in self.contexts.stale()
        )
        return replace(prediction, warnings=(*prediction.warnings, *stale))

    def record(self, seconds: Mapping[str, float]) -> State:
        """Write down that the build that was asked for has succeeded."""
        graph = self._graph(self._dockerfile(), for_record=True)
        return record_state(
            graph,
            self.request,
            store=self.store,
            contexts=self.contexts,
            seconds=seconds,
            merges=self._merges(),
        )

    def _dockerfile(self) -> Dockerfile:
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

    def _graph(self, dockerfile: Dockerfile, *, for_record: bool) -> BuildGraph:
        images = KnownImages(self.engine, self.history.images, for_record=for_record)
        merges = self._merges()
        try:
            return build_graph(
                dockerfile,
                self.request,
                contexts=self.contexts,
                images=images,
                downloads=HttpDownloads(),
                merges=True if merges is None else merges,
            )
        except DockerfileError as error:
            name = self.request.dockerfile.name
            raise DockerfileError(
                error.what, line=error.line, hint=error.hint, file=name
            ) from error

    def _merges(self) -> bool | None:
        """Tell whether the builder can keep ``COPY --link`` apart: containerd's store can."""
        info = self.engine.info()
        if info is None:
            return self.history.merges
        status = info.get("DriverStatus") or []
        return any(_SNAPSHOTTER in str(value) for row in status for value in row)
