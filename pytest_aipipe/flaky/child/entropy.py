"""Every source of chance, drawn from one seed: ``random``, ``os.urandom``, numpy's global state.

A generator that the project seeds itself is left alone, and so is the global one where
the project seeded it while it was imported: both are steady as they are.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
from typing import Any

_NAMES = "tempfile"


class Entropy:
    """Pins chance in this process. ``begin`` makes each trial start from its own seed."""

    def __init__(self, seed: int) -> None:
        self.draws = 0
        self.seeded_at_import = False
        self._stream = random.Random(seed)  # noqa: S311 - steadiness is the point
        self._plain_seed = random.Random.seed
        self._install()
        self._reseed(seed)
        self._watching = True

    def _install(self) -> None:
        entropy, plain = self, self._plain_seed

        def urandom(size: int, /) -> bytes:
            entropy.draws += not _from(_NAMES)
            return entropy._bytes(size)

        def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
            if a is None:
                entropy.draws += not _from(_NAMES)
                a = int.from_bytes(entropy._bytes(16), "big")
            plain(self, a, version)

        random.Random.seed = seed  # type: ignore[method-assign]
        setattr(os, "urandom", urandom)  # noqa: B010 - it has no type that fits
        setattr(random, "_urandom", urandom)  # noqa: B010
        hidden = random._inst  # noqa: SLF001

        def module_seed(a: Any = None, version: int = 2) -> None:
            entropy.seeded_at_import |= a is not None
            hidden.seed(a, version)

        random.seed = module_seed

    def _bytes(self, size: int) -> bytes:
        return self._stream.getrandbits(size * 8).to_bytes(size, "big") if size else b""

    def _reseed(self, seed: int) -> None:
        self._plain_seed(self._stream, seed)
        if not self.seeded_at_import:
            hidden = random._inst  # noqa: SLF001
            self._plain_seed(hidden, seed)
        numpy = sys.modules.get("numpy.random")
        if numpy is not None:
            numpy.seed(seed % 2**32)

    def begin(self, seed: int, kept: object) -> None:
        """Start a trial: its chance is ``seed``'s, or ``kept`` where the project seeded it."""
        self._reseed(seed)
        if self.seeded_at_import and kept is not None:
            random.setstate(kept)  # type: ignore[arg-type]
        self.draws = 0
        self._before = state()

    def drawn(self) -> bool:
        """Whether chance was asked since :meth:`begin`."""
        return self.draws > 0 or state() != self._before


def state() -> str:
    """Return a digest of the global generators' states."""
    digest = hashlib.sha256(repr(random.getstate()).encode())
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        digest.update(repr(numpy.get_state()).encode())
    return digest.hexdigest()


def _from(name: str) -> bool:
    frame: Any = sys._getframe(2)  # noqa: SLF001 - who asks decides
    for _ in range(6):
        if frame is None:
            return False
        if frame.f_globals.get("__name__") == name:
            return True
        frame = frame.f_back
    return False
