"""What must never be shown: the values behind secrets, wherever a build repeats them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|WEBHOOK", re.IGNORECASE)
_SHORTEST = 4
_LARGEST = 64 << 10
_PASSWORD_IN_URL = re.compile(r"(\w+://)[^/\s@]+@")
_MASK = "***"


class Mask:
    """Replaces secret values in text. Longer values go first, so that none is cut in two."""

    def __init__(self, values: Iterable[str]) -> None:
        kept = {value for value in values if len(value) >= _SHORTEST}
        self._values = sorted(kept, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return ``text`` with every secret value and password in a URL masked."""
        for value in self._values:
            text = text.replace(value, _MASK)
        return _PASSWORD_IN_URL.sub(rf"\1{_MASK}@", text)

    def inside(self, value: Any) -> Any:
        """Return a value of JSON with every text in it masked."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list | tuple):
            return [self.inside(one) for one in value]
        if isinstance(value, dict):
            return {key: self.inside(one) for key, one in value.items()}
        return value


def secret_values(
    secrets: Iterable[str], build_args: Mapping[str, str], environ: Mapping[str, str]
) -> list[str]:
    """Return the values that ``--secret`` options, arguments and the environment hold."""
    values = [value for name, value in build_args.items() if SECRET_NAME.search(name)]
    values += [value for name, value in environ.items() if SECRET_NAME.search(name)]
    for option in secrets:
        values += _values_of(option, environ)
    return values


def _values_of(option: str, environ: Mapping[str, str]) -> list[str]:
    import csv

    fields = dict(item.partition("=")[::2] for item in next(csv.reader([option]), []))
    identity = fields.get("id", "")
    source = fields.get("src", fields.get("source", ""))
    variable = fields.get("env", "")
    if not source and not variable and identity in environ:
        variable = identity
    if variable:
        text = environ.get(variable, "")
    else:
        text = _start_of(Path(os.path.expanduser(source or identity)))  # noqa: PTH111 - "" too
    # A secret of several lines is repeated line by line.
    return [text, text.strip(), *(line.strip() for line in text.splitlines())]


def _start_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST).decode("utf-8", errors="ignore")
    except OSError:
        return ""
