"""Dockerfiles as BuildKit reads them, with the source text kept."""
