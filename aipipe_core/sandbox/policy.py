"""What a sandboxed run may do: a value that every kind of sandbox reads the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_core.sandbox.environment import scrub_environment
from aipipe_core.sandbox.secrets import secret_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a run may use; ``None`` sets no limit.

    ``seconds`` is wall time for the whole tree of processes. ``memory`` is bytes of
    address space for each process, and twice that in private memory for all together.
    ``processes`` counts the whole tree; threads count too where the kernel does the
    counting. ``file_size`` is bytes for each file and for each private temporary folder.
    """

    seconds: float | None = 60.0
    memory: int | None = 4096 * MIB
    processes: int | None = 256
    file_size: int | None = 512 * MIB
    open_files: int | None = 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """What a sandboxed run may do.

    The whole file system can be read, but for ``hidden``; nothing can be written, but for
    ``writable`` and a ``/tmp`` and ``/dev/shm`` of the run's own. ``readable`` folders stay
    visible though they lie below something hidden. Where rules overlap, the one with the
    deepest path wins. The interpreter's folders, ``sys.path`` and the working folder stay
    visible without being named. ``environment`` is passed as it is (see
    ``scrub_environment``). Without ``network`` the run has a loopback of its own, if any.
    """

    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    network: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


def policy_for(
    private: Path,
    environ: Mapping[str, str],
    *,
    writable: Iterable[Path] = (),
    readable: Iterable[Path] = (),
    keep: Iterable[str] = (),
    network: bool = False,
    limits: Limits | None = None,
) -> Policy:
    """Return the usual policy: secrets hidden, environment scrubbed, ``private`` to write in.

    Makes ``private`` with its ``home`` and ``tmp``.
    """
    for folder in (private / "home", private / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    return Policy(
        writable=(private, *writable),
        readable=tuple(readable),
        hidden=secret_paths(environ),
        network=network,
        environment=scrub_environment(environ, private=private, keep=keep),
        limits=limits or Limits(),
    )
