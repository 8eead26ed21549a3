"""The error of a Dockerfile that BuildKit would refuse as well."""

from __future__ import annotations

from aipipe_core.errors import RequestError


class DockerfileError(RequestError):
    """The Dockerfile is malformed; ``line`` is where, 1-based."""

    def __init__(
        self, what: str, *, line: int = 0, hint: str = "", file: str = "Dockerfile"
    ) -> None:
        self.line = line
        where = f"{file}:{line}" if line else file
        super().__init__("dockerfile-malformed", what, where=where, hint=hint)
