"""Advisories at hand: a folder, a file, a zip of them."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_build.scan.advisory import Advisory, AdvisoryError, package_key, read_advisory
from aipipe_build.scan.answer import Answer, Problem
from aipipe_build.scan.match import match

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from aipipe_build.image.packages import Package

_LARGEST = 64 << 20
_SHOWN = 10


@dataclass(slots=True)
class Database:
    """The advisories of one source, by package. ``where`` is its path."""

    where: str
    advisories: dict[tuple[str, str], list[Advisory]] = field(default_factory=dict)
    newest: dict[str, dt.datetime] = field(default_factory=dict)
    """By ecosystem, the last time that any advisory changed."""
    damaged: list[AdvisoryError] = field(default_factory=list)
    count: int = 0

    def add(self, advisory: Advisory) -> None:
        """Take one advisory in."""
        self.count += 1
        for key in {(one.ecosystem, one.name) for one in advisory.affected}:
            self.advisories.setdefault(key, []).append(advisory)
            family = key[0].partition(":")[0]
            if advisory.modified is not None:
                known = self.newest.get(family, advisory.modified)
                self.newest[family] = max(known, advisory.modified)

    def answer(
        self, packages: Sequence[Package], *, now: dt.datetime, max_age_days: float
    ) -> Answer:
        """Return what is known of ``packages``. What it cannot speak for, it says."""
        answer = Answer(self.where)
        usable = self._usable(packages, answer, now=now, max_age_days=max_age_days)
        for package in packages:
            # What is old may still be right when it warns; it only cannot clear anything.
            if package.ecosystem.partition(":")[0] in usable:
                answer.checked.add(package)
            name, version = package.subject
            for advisory in self._about(package.ecosystem, name):
                found = match(advisory, package_key(package.ecosystem, name), version)
                if found is not None:
                    answer.add(package, found)
        self._holes(packages, answer)
        return answer

    def _about(self, ecosystem: str, name: str) -> list[Advisory]:
        family = ecosystem.partition(":")[0]
        keys = {package_key(ecosystem, name), package_key(family, name)}
        return [one for key in keys for one in self.advisories.get(key, ())]

    def _usable(
        self, packages: Iterable[Package], answer: Answer, *, now: dt.datetime, max_age_days: float
    ) -> set[str]:
        """Return the ecosystems that this source can speak for; say why it cannot for others."""
        held = {key[0] for key in self.advisories}
        usable: set[str] = set()
        for ecosystem in sorted({package.ecosystem for package in packages}):
            family = ecosystem.partition(":")[0]
            if ecosystem not in held and family not in held:
                answer.missing.add(ecosystem)
                continue
            newest = self.newest.get(family)
            if newest is None:
                text = f"no advisory for {family} says when it was written: how old they are, "
                answer.problems.append(Problem("advisories-stale", text + "nobody knows"))
            elif (now - newest).total_seconds() > max_age_days * 86400:
                text = (
                    f"the newest advisory for {family} is of {newest:%Y-%m-%d}, "
                    f"{(now - newest).days} days ago; {max_age_days:g} are allowed"
                )
                answer.problems.append(Problem("advisories-stale", text))
            else:
                usable.add(family)
        return usable

    def _holes(self, packages: Iterable[Package], answer: Answer) -> None:
        """Tell the damaged advisories, but for those that speak of what is not installed."""
        keys = {package_key(package.ecosystem, package.subject[0]) for package in packages}
        keys |= {(key[0].partition(":")[0], key[1]) for key in keys}
        concern = [e for e in self.damaged if e.packages is None or keys & set(e.packages)]
        for error in concern[:_SHOWN]:
            answer.problems.append(Problem("advisory-malformed", str(error)))
        if len(concern) > _SHOWN:
            more = f"{len(concern) - _SHOWN} more advisories cannot be read"
            answer.problems.append(Problem("advisory-malformed", more))


def open_database(path: Path, name: str = "") -> Database:
    """Return the advisories below ``path``: a folder, a JSON file, or a zip.

    What cannot be read is counted as damaged: a source never becomes smaller in silence. A path
    that is not there is an empty database.
    """
    database = Database(name or str(path))
    for file, data in _documents(path, database):
        try:
            document = json.loads(data)
            records = document if isinstance(document, list) else [document]
        except (ValueError, RecursionError) as error:
            database.damaged.append(AdvisoryError(f"{file}: it is no JSON: {error}"))
            continue
        if not records:
            database.damaged.append(AdvisoryError(f"{file}: it is empty"))
        for record in records:
            try:
                database.add(read_advisory(record))
            except AdvisoryError as error:
                database.damaged.append(AdvisoryError(f"{file}: {error}", error.packages))
    return database


def _documents(path: Path, database: Database) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            try:
                yield str(file.relative_to(path)), file.read_bytes()
            except OSError as error:
                database.damaged.append(AdvisoryError(f"{file.name}: {error.strerror}"))
        for file in sorted(path.rglob("*.zip")):
            yield from _zipped(file, database)
    elif path.suffix == ".zip":
        yield from _zipped(path, database)
    elif path.exists():
        try:
            yield path.name, path.read_bytes()
        except OSError as error:
            database.damaged.append(AdvisoryError(f"{path.name}: {error.strerror}"))


def _zipped(path: Path, database: Database) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".json"):
                    continue
                if info.file_size > _LARGEST:
                    error = f"{path.name}/{info.filename}: it is too large"
                    database.damaged.append(AdvisoryError(error))
                    continue
                yield f"{path.name}/{info.filename}", archive.read(info)
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        database.damaged.append(AdvisoryError(f"{path.name}: it is no zip: {error}"))
