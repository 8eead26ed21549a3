"""The matrix: one stage of the file as one stage for each combination of values."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aipipe.pipeline.lines import Lines, Place

MOST = 256
_USE = re.compile(r"\$\{matrix\.([^}]*)\}")


def text_of(value: object) -> str:
    """Return a YAML scalar as an environment variable holds it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def combinations(matrix: Mapping[str, Sequence[object]]) -> Iterator[dict[str, str]]:
    """Yield each combination, the last name varying fastest; one empty one without a matrix."""
    for values in itertools.product(*matrix.values()):
        yield dict(zip(matrix, map(text_of, values), strict=True))


def full_name(name: str, chosen: Mapping[str, str]) -> str:
    """Return the stage's name with its values: ``test[3.12,linux]``."""
    return f"{name}[{','.join(chosen.values())}]" if chosen else name


def check_size(matrix: Mapping[str, Sequence[object]], lines: Lines, place: Place) -> None:
    """Raise ``pipeline-matrix`` where the matrix has too many combinations."""
    count = 1
    for values in matrix.values():
        count *= len(values)
    if count > MOST:
        raise RequestError(
            "pipeline-matrix",
            f"The matrix has {count:,} combinations, more than {MOST}",
            where=lines.where(place),
            hint="Take a dimension away.",
        )


def filled(value: Any, chosen: Mapping[str, str], lines: Lines, place: Place) -> Any:
    """Return ``value`` with each ``${matrix.NAME}`` in its texts replaced.

    Raises ``RequestError`` (``pipeline-matrix``) for a name that the matrix does not have.
    """
    if isinstance(value, dict):
        return {key: filled(item, chosen, lines, (*place, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, chosen, lines, (*place, n)) for n, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[1] in chosen:
            return chosen[match[1]]
        raise RequestError(
            "pipeline-matrix",
            f"{match[0]} is not in the matrix of this stage",
            where=lines.where(place),
            hint=f"Its names are: {', '.join(chosen) or 'none'}.",
        )

    return _USE.sub(replace, value)
