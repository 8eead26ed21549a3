"""Published schemas (JSON Schema 2020-12): package data, one file for each document."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import AipipeError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_SUFFIX = ".schema.json"
_SHOWN = 200


def known_schemas() -> tuple[str, ...]:
    """Return the names of the documents that have a schema."""
    folder = files("aipipe_core.documents").joinpath("schemas")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX)))


@functools.cache
def _text(name: str) -> str:
    if name not in known_schemas():
        raise RequestError(
            "document-unknown",
            f"There is no schema for a document named {name!r}",
            hint=f"Known: {', '.join(known_schemas())}.",
        )
    resource = files("aipipe_core.documents").joinpath("schemas", name + _SUFFIX)
    return resource.read_text(encoding="utf-8")


def load_schema(name: str) -> dict[str, Any]:
    """Return the schema of the document ``name``; raises ``document-unknown``."""
    loaded: dict[str, Any] = json.loads(_text(name))
    return loaded


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(load_schema(name))


def validate(name: str, document: object, *, where: str = "") -> None:
    """Check ``document`` against the schema ``name``.

    Raises ``AipipeError`` (``document-invalid``) that names the first wrong value by a JSON
    pointer (RFC 6901) and counts the rest.
    """
    errors = list(_validator(name).iter_errors(document))
    if not errors:
        return
    first = min(errors, key=lambda error: [str(part) for part in error.absolute_path])
    inner = _innermost(first)
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    at = pointer(inner.absolute_path) or "the document itself"
    message = inner.message if len(inner.message) <= _SHOWN else inner.message[:_SHOWN] + "…"
    raise AipipeError(
        "document-invalid",
        f"This is no valid {name} document: at {at}: {message}{more}",
        where=where,
        hint=f"Its schema is aipipe_core/documents/schemas/{name}{_SUFFIX}.",
    )


def pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer of ``path``; empty for the whole document."""
    return "".join(_tokens(path))


def _tokens(path: Iterable[str | int]) -> Iterator[str]:
    for part in path:
        yield "/" + str(part).replace("~", "~0").replace("/", "~1")


def _innermost(error: ValidationError) -> ValidationError:
    """Return the most telling error below an ``anyOf`` or ``oneOf``."""
    from jsonschema.exceptions import best_match

    found: ValidationError | None = best_match([error])
    return found or error
