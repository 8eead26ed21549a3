# pathlib costs start-up time, and its names can be replaced by what runs later.
# ruff: noqa: PTH100, PTH109, PTH112, PTH120
"""The guard within: refuses by an audit hook what a sandbox would refuse.

Run as a script by the interpreter that is to be guarded, with the rules (JSON) and then
``-m MODULE``, ``-c CODE`` or a script with its arguments. Loads nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES = ("/dev/null", "/dev/tty", "/dev/zero")
_REFUSED = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.kill",
    "os.killpg",
    "pty.spawn",
    "ctypes.dlopen",
    "ctypes.dlsym",
    "ctypes.cdata",
    "syslog.openlog",
    "webbrowser.open",
)
_NETWORK = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
)
# Events that change the file system, with the positions of the paths that they change.
_CHANGING = {
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.link": (0, 1),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.utime": (0,),
    "os.setxattr": (0,),
    "os.removexattr": (0,),
    "shutil.rmtree": (0,),
    "shutil.move": (0, 1),
    "sqlite3.connect": (0,),
}


def install(rules: dict[str, Any]) -> None:
    """Refuse, from now on and for good, what ``rules`` do not allow."""
    writable, hidden, readable = (tuple(rules[k]) for k in ("writable", "hidden", "readable"))
    # Kept by the closure: what runs later can replace the names of the modules.
    real, fsdecode, at = os.path.realpath, os.fsdecode, os.readlink
    network = bool(rules["network"])

    def place(path: Any) -> str:
        if isinstance(path, int):
            return at(f"/proc/self/fd/{path}") if os.path.isdir("/proc/self/fd") else ""
        return real(fsdecode(path))

    def depth(path: str, tops: tuple[str, ...]) -> int:
        found = [len(t) for t in tops if path == t or path.startswith(t.rstrip("/") + "/")]
        return max(found, default=-1)

    def may_write(path: Any) -> bool:
        if path is None or path == -1:
            return True
        where = place(path)
        if where in _DEVICES or where.startswith(("pipe:", "/memfd:", "socket:")):
            return True
        inside = depth(where, writable)
        return inside > max(depth(where, hidden), depth(where, readable))

    def may_read(path: Any) -> bool:
        if isinstance(path, int):
            return True
        where = place(path)
        return depth(where, hidden) <= max(depth(where, readable), depth(where, writable))

    def refuse(event: str, what: object) -> None:
        raise PermissionError(13, f"refused by the aipipe guard: {event}", str(what))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = (*arguments, None, None)[:3]
            writing = bool((flags or 0) & _WRITING) or any(c in "wax+" for c in mode or "")
            if writing and not isinstance(path, int) and not may_write(path):
                refuse(event, path)
            if not may_read(path):
                refuse(event, path)
        elif event in _CHANGING:
            _check_paths(event, arguments, may_write, refuse)
        elif event in _REFUSED:
            refuse(event, arguments[0] if arguments else "")
        elif event in _NETWORK and not network:
            refuse(event, arguments[1] if len(arguments) > 1 else "")
        elif event in {"os.listdir", "os.scandir"} and arguments[0] and not may_read(arguments[0]):
            refuse(event, arguments[0])

    sys.addaudithook(hook)


def _check_paths(
    event: str,
    arguments: tuple[Any, ...],
    may_write: Callable[[Any], bool],
    refuse: Callable[[str, object], None],
) -> None:
    if event == "sqlite3.connect" and str(arguments[0]) in {":memory:", ""}:
        return
    for position in _CHANGING[event]:
        if not may_write(arguments[position]):
            refuse(event, arguments[position])


def main() -> None:
    """Install the hook, then run what the command line names as Python itself would."""
    rules, rest = json.loads(sys.argv[1]), sys.argv[2:]
    sys.path.pop(0)
    if rest[:1] == ["refuse"]:
        sys.stderr.write(f"aipipe guard: {rest[1]} is no Python program and cannot be guarded\n")
        sys.exit(126)
    # The first three for the report of a failure. ctypes opens the process itself as a library
    # when it is imported, as numpy and others do; opening and looking up are refused later.
    for needed in ("traceback", "linecache", "tokenize", "ctypes"):
        with contextlib.suppress(ImportError):
            __import__(needed)
    if rest[0] == "-m":
        sys.argv = rest[1:]
        sys.path.insert(0, os.getcwd())
        install(rules)
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    elif rest[0] == "-c":
        sys.argv = ["-c", *rest[2:]]
        sys.path.insert(0, "")
        install(rules)
        exec(compile(rest[1], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
    else:
        sys.argv = rest
        sys.path.insert(0, os.path.dirname(os.path.abspath(rest[0])))
        install(rules)
        runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    main()
