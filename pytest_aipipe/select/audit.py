"""What a test reads and starts besides running code, heard from the interpreter's audit events.

An audit hook cannot be taken away again, so there is one for the process, and it is silent
unless an :class:`Ear` is listening.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import _pytest
import coverage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

STARTING = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"}
)
OPENING = frozenset({"open", "sqlite3.connect"})
LISTING = frozenset({"os.listdir", "os.scandir"})

HARMLESS = frozenset({"git", "uname", "hostname", "ldconfig", "ldd", "lsb_release", "stty", "tput"})
"""Programs that run no code of the project."""

FILTERS = frozenset(
    {"cat", "less", "more", "most", "head", "tail", "sort", "uniq", "wc", "tr", "cut", "tee", "sed"}
    | {"true", "false", "echo", "printf", "sleep", "yes", "wget", "curl"}
)
"""Programs that run no code of the project unless they are told to read some."""

SHELLS = frozenset({"/bin/sh", "sh", "/bin/bash", "bash"})
JOINING = frozenset({";", "&&", "||", "|", "&"})
"""What stands between the commands of a line."""

REDIRECTING = frozenset({"<", ">", ">>", ">|", ">&", "&>"})
"""What stands before a file that a command reads or writes."""

_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120

PLUMBING = tuple(f"{_LIBRARY}{os.sep}{name}" for name in ("pathlib", "tokenize.py", "codecs.py"))
"""Modules of the standard library that open a file for whoever calls them."""

LOADERS = ("<frozen importlib", "<frozen zipimport", "<frozen runpy")
"""Code that opens a file of code to run it, which is traced then."""

SHOWING = (f"{_LIBRARY}{os.sep}linecache.py", f"{os.sep}hypothesis{os.sep}")
"""Code that opens one to show where something happened, or for constants to try at random."""

OWN = tuple(
    f"{os.path.dirname(file)}{os.sep}"  # noqa: PTH120
    for file in (os.path.dirname(__file__), coverage.__file__, _pytest.__file__)  # noqa: PTH120
)
"""Where the code is that collects and measures; the plugin's is the folder above this one."""

_listening: list[Ear] = []
_installed: list[bool] = []


class Ear:
    """Listens. ``who`` says who runs now, ``inside`` turns a file into the project's path.

    ``is_asked`` whether a process that is about to start tells itself what it runs. ``reads``
    are the files and folders (with a slash at the end) by who asked for them; ``starts`` who
    started another program.
    """

    def __init__(
        self,
        who: Callable[[], str],
        inside: Callable[[str], str | None],
        is_asked: Callable[[], bool] = lambda: False,
    ) -> None:
        self._who, self._inside, self._is_asked = who, inside, is_asked
        self.reads: dict[str, set[str]] = {}
        self.starts: set[str] = set()

    def listen(self) -> None:
        """Begin."""
        if not _installed:
            sys.addaudithook(_hear)
            _installed.append(True)
        _listening[:] = [self]

    def stop(self) -> None:
        """End."""
        if self in _listening:
            _listening.remove(self)

    def opened(self, endings: tuple[str, ...]) -> set[str]:
        """Return the files with one of ``endings`` that anybody opened."""
        return {place for some in self.reads.values() for place in some if place.endswith(endings)}

    def heard(self, event: str, args: tuple[Any, ...], frame: FrameType | None = None) -> None:
        """Note one event; ``frame`` is that of the code which caused it."""
        if event in STARTING:
            if not self._is_harmless(event, args):
                self.starts.add(self._who())
            return
        place = args[0] if args else None
        if event in OPENING and len(args) > 1 and isinstance(args[1], str) and "r" not in args[1]:
            return
        if isinstance(place, bytes):
            place = os.fsdecode(place)
        if not isinstance(place, str):
            place = (
                str(place) if isinstance(place, os.PathLike) else "." if event in LISTING else ""
            )
        if not place or place.endswith((".pyc", ".pyo")):
            return
        if (event in LISTING or place.endswith((".py", ".pyw"))) and _is_loading(frame):
            return
        path = self._inside(os.path.abspath(place))  # noqa: PTH100
        if path is not None:
            told = f"{path}/" if event in LISTING else path
            self.reads.setdefault(self._who(), set()).add(told)

    def _is_harmless(self, event: str, args: tuple[Any, ...]) -> bool:
        if event == "os.system" and args:
            return self._are_harmless(commands(os.fsdecode(args[0])), "")
        if event != "subprocess.Popen" or not args:
            return False
        if self._is_asked():
            return True
        words, folder = (*args[1:3], None, None)[:2]
        if not isinstance(words, list | tuple):
            return False
        told = [os.fsdecode(args[0]), *map(os.fsdecode, words[1:])]
        start = os.fsdecode(folder) if folder else ""
        if told[0] in SHELLS and told[1:2] == ["-c"] and len(told) == 3:  # noqa: PLR2004
            return self._are_harmless(commands(told[2]), start)
        return self._are_harmless([told], start)

    def _are_harmless(self, some: list[list[str]] | None, folder: str) -> bool:
        return some is not None and all(self._runs_nothing(words, folder) for words in some)

    def _runs_nothing(self, words: list[str], folder: str) -> bool:
        """Whether a program runs no code of the project, and reads none."""
        program = words[0]
        name = os.path.basename(program)  # noqa: PTH119
        if name != program and self._inside(os.path.abspath(program)) is not None:  # noqa: PTH100
            return False
        return name in HARMLESS or (name in FILTERS and not self._names_ours(words[1:], folder))

    def _names_ours(self, words: list[str], folder: str) -> bool:
        """Whether any of the words, or a part of one, is a file or folder of the project."""
        for word in words:
            for part in (word, word.rpartition("=")[2]):
                place = os.path.abspath(os.path.join(folder, part))  # noqa: PTH100, PTH118
                if part.startswith("file:") or (
                    part and os.path.exists(place) and self._inside(place) is not None  # noqa: PTH110
                ):
                    return True
        return False


def commands(line: str) -> list[list[str]] | None:
    """Return the commands of a line for a shell, each as its words; None where more happens there.

    That is what a shell works out itself (variables, patterns, other commands' output), and what
    changes the commands that follow. A file that is read or written counts as a word.
    """
    if any(one in line for one in "$`*?[]{}~!#\\\n"):
        return None
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    found: list[list[str]] = [[]]
    try:
        for word in reader:
            if word in JOINING:
                found.append([])
            elif not word or not set(word) <= set("();<>|&"):
                found[-1].append(word)
            elif word not in REDIRECTING:
                return None
    except ValueError:  # a quotation without an end
        return None
    some = [words for words in found if words]
    return None if not some or any("=" in words[0] for words in some) else some


def _is_loading(frame: FrameType | None) -> bool:
    """Whether code is opened, or a folder listed, to load, collect or show it: nobody reads it."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((*PLUMBING, "<frozen codecs>")):
            return file.startswith((*LOADERS, *OWN)) or any(one in file for one in SHOWING)
        frame = frame.f_back
    return True


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if not _listening:
        return
    if event in OPENING or event in LISTING or event in STARTING:
        try:
            _listening[0].heard(event, args, sys._getframe(1))  # noqa: SLF001
        except Exception:  # whatever the project passes to open(): not ours to complain
            return
