"""Recorded states on disk: ``.aipipe/build/<builder>.json``, replaced whole or not at all."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_build.keys.model import BaseImage, ImageConfig
from aipipe_build.light import as_dict, light
from aipipe_build.record.model import History, State, StepRecord
from aipipe_core.errors import SurroundingsError
from aipipe_core.store.folder import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SCHEMA = 1
# A builder keeps its cache for weeks, and coming back to an old state is what hits.
_MAX_STATES = 200


@light(frozen=True)
class RecordStore:
    """The records of one builder: read from all ``folders``, written to the first."""

    folders: tuple[Path, ...]
    builder: str = "default"

    @property
    def folder(self) -> Path:
        """Where is written."""
        return self.folders[0]

    @property
    def memory(self) -> Path:
        """Where the stat caches of this builder's contexts are kept."""
        return self.folder / "contexts" / self._name

    @property
    def _name(self) -> str:
        return re.sub(r"[^A-Za-z0-9_.-]", "_", self.builder) or "default"

    def load(self) -> History:
        """Return everything on record; a damaged file counts as empty."""
        documents = [_read(folder / f"{self._name}.json") for folder in self.folders]
        states = [_state(row) for document in documents for row in document.get("states", ())]
        states.sort(key=lambda state: state.at)
        images: dict[str, BaseImage] = {}
        merges: bool | None = None
        for document in reversed(documents):
            images |= {name: _image(name, row) for name, row in document.get("images", {}).items()}
            merges = document.get("merges", merges)
        return History(states, images, merges)

    def append(
        self,
        state: State,
        *,
        images: Mapping[str, BaseImage],
        merges: bool | None,
        alone: bool = False,
    ) -> None:
        """Add one state. Raises :class:`SurroundingsError` where it cannot be written.

        ``alone`` drops all the others: the builder was seen to have lost what they stand for.
        """
        path = self.folder / f"{self._name}.json"
        with self.writing(), _locked(self.folder / f"{self._name}.lock"):
            document = _read(path)
            new = as_dict(state)
            _carry_over(new, document.get("states", ()))
            older = [row for row in document.get("states", ()) if not _same(row, new)]
            states = [*([] if alone else older), new][-_MAX_STATES:]
            known = document.get("images", {})
            known |= {name: as_dict(image) for name, image in images.items()}
            keep = document.get("merges") if merges is None else merges
            rows = {"schema": _SCHEMA, "merges": keep, "images": known, "states": states}
            _write(path, rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make the folder, and tell what cannot be written as :class:`SurroundingsError`."""
        try:
            make_folder(self.folder.parent)  # a new .aipipe hides itself from git
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise SurroundingsError(
                "record-unwritable",
                f"the record cannot be written: {error.strerror}",
                where=str(error.filename or self.folder),
                hint="Free room, or make the folder writable; nothing was recorded.",
            ) from error

    def save_manifest(self, key: str, files: Mapping[str, str]) -> None:
        """Keep which files stood behind a content key."""
        path = self._manifest(key, self.folder)
        if files and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, {"schema": _SCHEMA, "files": dict(files)})

    def save_text(self, digest: str, text: str) -> None:
        """Keep a manifest or lock file as it was, to be read for meaning later."""
        path = self.folder / "texts" / digest
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")

    def text(self, digest: str) -> str | None:
        """Return a kept manifest or lock file."""
        for folder in self.folders:
            try:
                path = folder / "texts" / digest
                return path.read_text(encoding="utf-8", errors="surrogateescape")
            except OSError:
                continue
        return None

    def manifest(self, key: str) -> dict[str, str] | None:
        """Return the files behind a content key, None when they are not on record."""
        for folder in self.folders:
            files = _read(self._manifest(key, folder)).get("files")
            if isinstance(files, dict):
                return files
        return None

    def _manifest(self, key: str, folder: Path) -> Path:
        return folder / "manifests" / f"{key}.json"


def _carry_over(new: dict[str, Any], states: Sequence[Mapping[str, Any]]) -> None:
    """A cached step keeps the seconds of when it ran, a state its image where none is told."""
    if not new["image"]:
        images = (row.get("image", "") for row in states if _same(row, new))
        new["image"] = next(filter(None, images), "")
    known = {
        step["exact"]: step["seconds"]
        for row in states
        for step in row["steps"]
        if step.get("seconds") is not None
    }
    new["steps"] = [
        {**step, "seconds": known.get(step["exact"])} if step["seconds"] is None else step
        for step in new["steps"]
    ]


def _same(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether two rows record the same build, which is kept once: the newest."""
    ways = ("head", "config", "target", "dockerfile")
    keys = ([step["exact"] for step in row["steps"]] for row in (then, now))
    return all(then[way] == now[way] for way in ways) and next(keys) == next(keys)


def _image(name: str, row: Mapping[str, Any]) -> BaseImage:
    config = row.get("config")
    return BaseImage(
        name,
        row.get("identity", ""),
        None
        if config is None
        else ImageConfig(
            env=tuple((key, value) for key, value in config["env"]),
            working_dir=config["working_dir"],
            user=config["user"],
            shell=tuple(config["shell"]),
            on_build=tuple(config["on_build"]),
            rest=config["rest"],
        ),
        assumed=bool(row.get("assumed")),
        recorded_at=float(row.get("recorded_at", 0.0)),
    )


def _state(row: Mapping[str, Any]) -> State:
    steps: Sequence[Mapping[str, Any]] = row["steps"]
    made = (StepRecord(**{**step, "contents": tuple(step["contents"])}) for step in steps)
    return State(**{**row, "steps": tuple(made)})


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        return {}
    return document


def _write(path: Path, document: Mapping[str, Any]) -> None:
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            json.dump(document, stream, separators=(",", ":"))
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
