"""The first thing that runs in a Python which a test starts: notes what runs there.

:mod:`pytest_aipipe.select.children` puts this folder in front of that one process'
``PYTHONPATH``. What it finds there is put back before any code of the project runs: the path,
the environment, the modules; a ``sitecustomize`` of the user's is loaded as ever. It imports
nothing that the interpreter has not imported by then.

Whatever is not sure to be seen whole (threads, other processes, another tracer, code or text
from places that are not known, an end that is no ordinary one) leaves the record without its
last line, and then the test counts as one of which nothing is known.
"""

# ruff: noqa: INP001, PTH100, PTH113, PTH118, PTH120, PTH206, SLF001 - no module of a package, and no pathlib here

import os
import sys

TYPE_CHECKING = False  # nothing of typing is to be loaded here
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

KEY = "_AIPIPE_CHILD"
END = "."
FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "__pycache__"})
LEAVING = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork"}
    | {"os.forkpty", "pty.spawn", "_thread.start_new_thread", "_thread.start_joinable_thread"}
    | {"sys.settrace"}
)
"""Events after which something runs, or may run, that is not seen here."""
OPENING = frozenset({"open", "sqlite3.connect", "os.listdir", "os.scandir"})
UNSEEN = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver", "pkg_resources")
"""Modules that start processes of which no event tells, or that read what nobody opens."""
LOADERS = ("<frozen importlib", "<frozen zipimport", "<frozen runpy")
"""What opens a file of code in order to run it; a script may be an archive."""
MOST = 2_000_000
"""Calls and lines that are looked at: a process that makes more is let go before it gets slow."""


class Notes:
    """Notes the lines and the functions of the project ``top`` that run, for ``report``."""

    def __init__(self, report: str, top: str) -> None:
        self.report, self.top = report, top + os.sep
        self.on = self.quiet = self.done = self.began = False
        self.left = MOST
        known = os.__file__, sys.executable
        self.known = tuple(os.path.dirname(os.path.realpath(one)) + os.sep for one in known)
        self.known += (os.path.dirname(sys.executable) + os.sep,)
        self.traced: dict[str, tuple[str, set[int], set[int], Callable[..., Any]] | None] = {}
        self.reads: set[str] = set()
        self.traced[__file__] = None
        self.threading = os.path.join(os.path.dirname(os.__file__), "threading.py")

    def start(self) -> None:
        """Begin, where nobody else traces."""
        if sys.gettrace() is not None or any(self._is_early(m) for m in list(sys.modules.values())):
            return
        os.close(os.open(self.report, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        had = "atexit" in sys.modules
        import atexit

        if not had:
            del sys.modules["atexit"]
        atexit.register(self.end)
        sys.addaudithook(self.hear)
        self.quiet, self.on = True, True
        sys.settrace(self.call)
        self.quiet = False

    def _is_early(self, module: object) -> bool:
        """Whether a module of the project ran before anybody looked."""
        file = getattr(module, "__file__", None)
        return isinstance(file, str) and file != __file__ and self._place(file) is not None

    def _place(self, file: str) -> str | None:
        """Return the real path of a file of the project, None for all others."""
        place = os.path.realpath(file)
        folders = place[len(self.top) :].split(os.sep)[:-1]
        ours = place.startswith(self.top) and not any(
            folder in FOREIGN or folder.startswith(".") for folder in folders
        )
        return place if ours else None

    def give_up(self, *, tracing: bool = True) -> None:
        """Leave the record unfinished; ``tracing`` says that it is still us who trace."""
        if self.on:
            self.on, self.quiet = False, True
            if tracing:
                sys.settrace(None)
            self.write("?\n")

    def write(self, text: str) -> None:
        """Add to the record."""
        was, self.quiet = self.quiet, True
        try:
            file = os.open(self.report, os.O_WRONLY | os.O_APPEND)
            os.write(file, text.encode("utf-8", "surrogateescape"))
            os.close(file)
        finally:
            self.quiet = was

    # What the interpreter calls

    def call(self, frame: "FrameType", event: str, _: object) -> "Callable[..., Any] | None":
        """Hear that a function is entered."""
        self.left -= 1
        if self.left <= 0:
            self.give_up()
            return None
        code = frame.f_code
        file = code.co_filename
        if not self.began and frame.f_globals.get("__name__") == "__main__":
            self.began = True
        if file not in self.traced:
            try:
                self.traced[file] = self.meet(file)
            except Exception:
                self.give_up()
                return None
        found = self.traced[file]
        if found is None or not self.on:
            if file == self.threading and code.co_name == "start":
                self.give_up()  # of a thread the older Pythons raise no event
            return None
        place, _lines, entries, local = found
        if event == "call" and code.co_firstlineno not in entries:
            entries.add(code.co_firstlineno)
            if "start_new_thread" in code.co_names:
                self.give_up()
            if self.done:
                self.write(f"P{place}\nE{code.co_firstlineno}\n")
        return local

    def meet(self, file: str) -> "tuple[str, set[int], set[int], Callable[..., Any]] | None":
        """Return what is kept of a file, None for what is not the project's."""
        if file.startswith("<"):  # text of the command line, or made by code that is seen
            return None
        place = self._place(file)
        if place is None:
            real = os.path.realpath(file)
            parts = real.split(os.sep)
            if not (real.startswith(self.known) or not FOREIGN.isdisjoint(parts)):
                self.give_up()  # code from a place that nobody knows: a copy, or made for this
            return None
        if "\n" in place or not os.path.isfile(place):  # it may be inside an archive
            self.give_up()
        lines: set[int] = set()

        def local(frame: "FrameType", event: str, _: object) -> "Callable[..., Any]":
            if event == "line" and frame.f_lineno not in lines:
                lines.add(frame.f_lineno)
                if self.done:
                    self.write(f"P{place}\nL{frame.f_lineno}\n")
            self.left -= 1
            if self.left <= 0:
                self.give_up()
            return local

        return place, lines, set(), local

    def hear(self, event: str, args: "tuple[Any, ...]") -> None:
        """Hear an audit event."""
        if self.quiet or not self.on:
            return
        if event in LEAVING:
            self.give_up(tracing=event != "sys.settrace")
        elif event in OPENING:
            try:
                self.opened(event, args)
            except Exception:
                self.give_up()

    def opened(self, event: str, args: "tuple[Any, ...]") -> None:
        """Note a file or a folder that is looked into."""
        place = args[0] if args else None
        mode = args[1] if event == "open" and len(args) > 1 else "r"
        if isinstance(place, int) or (isinstance(mode, str) and "r" not in mode):
            return
        place = os.fsdecode("." if place is None else place)
        listed = event in ("os.listdir", "os.scandir")
        if listed or place.endswith((".py", ".pyw", ".pyc")):
            loading = self._is_loading()
            if not listed and not loading and self._place(place) is not None:
                self.give_up()  # it reads code as text
            if loading or not listed:
                return
        told = os.path.abspath(place)
        if "\n" in told:
            self.give_up()
        elif told not in self.reads:
            line = told + os.sep if listed else told
            self.reads.add(line)
            if self.done:
                self.write(f"R{line}\n")

    def _is_loading(self) -> bool:
        """Whether it is the interpreter that opens a file of code, to run it."""
        try:
            frame = sys._getframe(3)
        except ValueError:  # nothing runs: before the script, or after it, for a traceback
            return not self.began
        return frame.f_code.co_filename.startswith(LOADERS)

    def end(self) -> None:
        """Write what was noted; what runs after that is added one by one."""
        if not self.on or sys.gettrace() != self.call:
            return
        if any(name in sys.modules for name in UNSEEN):
            self.give_up()
            return
        rows = []
        for found in list(self.traced.values()):
            if found is not None:
                place, lines, entries, _ = found
                rows += [f"P{place}", f"L{_listed(lines)}", f"E{_listed(entries)}"]
        rows += [f"R{place}" for place in self.reads]
        self.done = True
        self.write("\n".join([*rows, END, ""]))


def _listed(numbers: "set[int]") -> str:
    return " ".join(map(str, numbers))


def begin() -> None:
    """Put the surroundings back as they were, and begin to note."""
    here = os.path.dirname(__file__)
    if here in sys.path:
        sys.path.remove(here)
    sys.path_importer_cache.pop(here, None)
    told = os.environ.pop(KEY, None)
    if told is None:
        return
    report, top, before = told.split("\n", 2)
    if before:
        os.environ["PYTHONPATH"] = before[1:]
    else:
        os.environ.pop("PYTHONPATH", None)
    try:
        Notes(report, top).start()
    except Exception:  # then nothing is known of this process
        sys.settrace(None)


begin()
del sys.modules["sitecustomize"]
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402, F401 - the one of the user, if any
