"""The Pythons that a test starts: what they run is noted by them, and is the test's.

Only a process of this very interpreter, started by ``subprocess``, with options that change
nothing for us, is asked to note what it runs (:mod:`pytest_aipipe.select.inner`). Whoever
starts anything else starts a program of which nothing is known, and so does whoever starts one
whose record has no end.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HOOK = str(Path(__file__).parent / "inner")
KEY = "_AIPIPE_CHILD"
END = "."
"""As the child has them, which is not to be imported here."""

PLAIN = frozenset({"-u", "-B", "-O", "-OO", "-b", "-bb", "-q", "-s", "-P"})
"""Options of Python that leave a child as it is for us."""
WITH_WORD = frozenset({"-W", "-X"})
LOUD = ("importtime", "frozen_modules", "showrefcount")
"""Words of ``-X`` under which a child shows what it loads."""

BUSY = ("PYTHONVERBOSE", "PYTHONPROFILEIMPORTTIME", "PYTHONDUMPREFS", "PYTHONINSPECT", KEY,
        "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COV_CORE_SOURCE")  # fmt: skip
"""Variables under which a child shows what it loads, or is measured by somebody else."""

Noted = dict[str, tuple[set[int], set[int]]]
"""By real file name: lines, and entries of functions."""


class Children:
    """Asks the children of whoever ``who`` names to note what they run of the project ``top``.

    ``asked`` are those that were asked: who started one, and the file of its record.
    """

    def __init__(self, top: str, who: Callable[[], str | None]) -> None:
        self._top, self._who = top, who
        self._temporary = tempfile.gettempdir()  # a test may have another one
        self._folder: str | None = None
        self._undo: Callable[[], None] | None = None
        self._starting: int | None = None
        self.asked: list[tuple[str, str]] = []

    def listen(self) -> None:
        """Begin."""
        original = getattr(subprocess.Popen, "_execute_child", None)
        if os.name != "posix" or original is None or self._undo is not None:
            return
        names = list(inspect.signature(original).parameters)
        if not {"args", "executable", "env", "shell"} <= set(names):
            return

        @wraps(original)
        def execute(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(names, args, strict=False)) | kwargs
            added: dict[str, str] = {}
            with contextlib.suppress(Exception):  # then it is started as it would be
                added = self._asking(given)
            if not added:
                return original(*args, **kwargs)
            self._starting = threading.get_ident()
            try:
                if given["env"] is not None:
                    return original(**{**given, "env": {**given["env"], **added}})
                with _inherited(added):
                    return original(*args, **kwargs)
            finally:
                self._starting = None

        popen: Any = subprocess.Popen
        popen._execute_child = execute  # noqa: SLF001 - where the audit event is raised as well
        self._undo = lambda: setattr(popen, "_execute_child", original)

    def stop(self) -> None:
        """End; what was noted stays until :meth:`close`."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    def close(self) -> None:
        """Let go of the records."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _asking(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Return what is added to the environment of a child that is asked; nothing for others."""
        who = self._who()
        env = os.environ if given["env"] is None else given["env"]
        if who is None or given["shell"] or not _is_ours(given, env):
            return {}
        if not all(isinstance(name, str) for name in env) or any(n in env for n in BUSY):
            return {}
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="aipipe-", dir=self._temporary)
        report = f"{self._folder}/{len(self.asked)}"
        before = env.get("PYTHONPATH")
        path = f"{HOOK}{os.pathsep}{before}" if before else HOOK
        told = "" if before is None else f"={before}"
        self.asked.append((who, report))
        return {"PYTHONPATH": path, KEY: f"{report}\n{self._top}\n{told}"}

    def is_asked(self) -> bool:
        """Whether what this thread is about to start is a child that is asked; True once."""
        if self._starting != threading.get_ident():
            return False
        self._starting = None
        return True

    def noted(self) -> Iterator[tuple[str, Noted, set[str]] | tuple[str, None, None]]:
        """Yield, for each child: who started it, what it ran and read; None where it is unsure."""
        for who, report in self.asked:
            found = _read(report)
            yield (who, None, None) if found is None else (who, *found)


@contextlib.contextmanager
def _inherited(added: Mapping[str, str]) -> Iterator[None]:
    """Let a child inherit more than this process knows of: its own environment stays."""
    for name, value in added.items():
        os.putenv(name, value)
    try:
        yield
    finally:
        for name in added:
            if name in os.environ:
                os.putenv(name, os.environ[name])
            else:
                os.unsetenv(name)


def _is_ours(given: Mapping[str, Any], env: Mapping[str, Any]) -> bool:
    """Whether it is this interpreter that is started, in a way that we know."""
    words = given["args"]
    if not isinstance(words, list | tuple) or not words:
        return False
    words = [os.fsdecode(word) for word in words]
    program = words[0] if given["executable"] is None else os.fsdecode(given["executable"])
    found = program if os.sep in program else shutil.which(program, path=env.get("PATH"))
    if not sys.executable or found is None:
        return False
    beside = os.path.dirname(found) == os.path.dirname(sys.executable)  # noqa: PTH120
    same = beside and os.path.samefile(found, sys.executable)  # noqa: PTH121
    return same and words[0] == program and _is_plain(words[1:])


def _is_plain(words: Sequence[str]) -> bool:
    """Whether the options of Python are such that the child begins with our notes."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in PLAIN:
            continue
        if word in WITH_WORD and rest:
            if rest.pop(0).startswith(LOUD):
                return False
            continue
        return word in ("-m", "-c", "-") or not word.startswith("-")
    return True


def _read(report: str) -> tuple[Noted, set[str]] | None:
    """Return what a record holds, None where it is not whole."""
    try:
        text = Path(report).read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    rows = text.split("\n")
    if END not in rows or "?" in rows or rows[-1]:
        return None
    noted: Noted = {}
    reads: set[str] = set()
    now: tuple[set[int], set[int]] = set(), set()
    for row in rows:
        sign, told = row[:1], row[1:]
        if sign == "P":
            now = noted.setdefault(told, (set(), set()))
        elif sign in ("L", "E"):
            now[sign == "E"].update(map(int, told.split()))
        elif sign == "R":
            reads.add(told)
    return noted, reads
