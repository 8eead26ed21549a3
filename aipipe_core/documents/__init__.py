"""The JSON documents that stages hand to each other, and their published schemas."""

from __future__ import annotations

from aipipe_core.documents.files import read_document, write_document
from aipipe_core.documents.schema import known_schemas, load_schema, validate

__all__ = ["known_schemas", "load_schema", "read_document", "validate", "write_document"]
