"""The moment that every file of a reproducible image bears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.errors import AipipeError, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def source_epoch(folder: Path, environ: Mapping[str, str]) -> int:
    """Return ``SOURCE_DATE_EPOCH``, else the time of the last commit, seconds since 1970.

    Raises ``epoch-unknown``. See https://reproducible-builds.org/specs/source-date-epoch/.
    """
    given = environ.get("SOURCE_DATE_EPOCH", "")
    try:
        return int(given or run(folder, "log", "-1", "--format=%ct").text)
    except (ValueError, AipipeError) as error:
        raise RequestError(
            "epoch-unknown",
            "nothing tells which time a reproducible image bears",
            where=given,
            hint="Commit something, or set SOURCE_DATE_EPOCH to seconds since 1970.",
        ) from error
