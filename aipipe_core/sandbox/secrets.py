"""Where the secrets of this machine lie: what unread code must not even see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Homes hold more secrets than a list could name, so every dot entry of a home is hidden,
# but for these: interpreters and environments live there.
_TOOLCHAINS = frozenset(
    {
        ".pyenv",
        ".asdf",
        ".rye",
        ".venv",
        ".venvs",
        ".virtualenvs",
        ".nix-profile",
        ".nix-defexpr",
        ".local",
        ".rustup",
        ".nvm",
        ".sdkman",
        ".conda",
    }
)
_NESTED = (".local/share/keyrings", ".local/share/containers", ".local/share/python_keyring")
_SYSTEM = (
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssl/private",
    "/etc/kubernetes",
    "/etc/docker",
    "/etc/NetworkManager",
    "/etc/krb5.keytab",
    # Sockets of daemons (Docker's is a way to root), tokens of orchestrators, user sessions.
    "/run",
    "/var/run",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/spool/cron",
)


def secret_paths(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the existing paths that hold secrets: in homes, in ``/etc``, and daemons' sockets."""
    found = [Path(path) for path in _SYSTEM]
    found.extend(Path("/etc/ssh").glob("ssh_host_*_key"))
    for home in _homes(environ):
        found.extend(_dot_entries(home))
        found.extend(home / name for name in _NESTED)
    found.extend(_named_by(environ))
    real = {os.path.realpath(path) for path in found if os.path.lexists(path)}
    return tuple(Path(path) for path in sorted(real) if os.path.exists(path))  # noqa: PTH110


def _homes(environ: Mapping[str, str]) -> Iterator[Path]:
    yield Path(environ.get("HOME") or "~").expanduser()
    yield Path("/root")
    try:
        yield from Path("/home").iterdir()
    except OSError:
        return


def _dot_entries(home: Path) -> list[Path]:
    # A HOME that is no home (`/`, a project's folder) has dot entries that are nobody's secret.
    if home == Path("/") or os.path.isdir(home / ".git"):  # noqa: PTH112 - it never raises
        return []
    try:
        entries = list(home.iterdir())
    except OSError:
        return []
    return [e for e in entries if e.name.startswith(".") and e.name not in _TOOLCHAINS]


def _named_by(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files that variables point to: they are secrets wherever they lie."""
    for name in (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "AWS_SHARED_CREDENTIALS_FILE",
        "KUBECONFIG",
        "NETRC",
        "SSH_AUTH_SOCK",
        "DOCKER_CONFIG",
        "NPM_CONFIG_USERCONFIG",
        "PIP_CONFIG_FILE",
        "VAULT_TOKEN_FILE",
        "PGPASSFILE",
    ):
        for part in environ.get(name, "").split(os.pathsep):
            if part.startswith("/") and not part.startswith(("/dev/", "/proc/")):
                yield Path(part)
