"""The environment that unread code may see: an allow list, never a deny list."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ALLOWED = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TZDIR",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "USER",
    "LOGNAME",
    "SHELL",
    "CI",
    "PYTHON*",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYENV_ROOT",
    "LD_LIBRARY_PATH",
    "DYLD_*",
    "SYSTEMROOT",
    "DJANGO_SETTINGS_MODULE",
    "SOURCE_DATE_EPOCH",
)
"""Names and patterns that every run may see."""

# These start a debugger, an editor or a script of the user's: nothing that tests need.
_REFUSED = frozenset({"PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONBREAKPOINT", "PYTHONDEBUG"})
_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|COOKIE|SESSION|PRIVATE|SIGN", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def scrub_environment(
    environ: Mapping[str, str], *, private: Path, keep: Iterable[str] = ()
) -> dict[str, str]:
    """Return what of ``environ`` unread code may see, with a home and a TMPDIR of its own.

    ``keep`` adds names or ``*`` patterns. A name that looks like a secret is dropped even
    where a pattern lets it through; only its exact name in ``keep`` keeps it. A value that
    holds a URL with a password is dropped likewise. ``HOME``, ``TMPDIR`` and the XDG
    folders are below ``private``, which the caller makes (see ``policy_for``).
    """
    wanted = tuple(keep)
    kept = {name: value for name, value in environ.items() if _may_be_seen(name, value, wanted)}
    home = private / "home"
    tmp = str(private / "tmp")
    kept.update(
        HOME=str(home),
        TMPDIR=tmp,
        TMP=tmp,
        TEMP=tmp,
        XDG_CACHE_HOME=str(home / ".cache"),
        XDG_CONFIG_HOME=str(home / ".config"),
        XDG_DATA_HOME=str(home / ".local" / "share"),
        XDG_STATE_HOME=str(home / ".local" / "state"),
    )
    return kept


def _may_be_seen(name: str, value: str, keep: tuple[str, ...]) -> bool:
    if name in keep:
        return True
    if name in _REFUSED or _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
        return False
    return any(fnmatchcase(name, pattern) for pattern in (*ALLOWED, *keep))
