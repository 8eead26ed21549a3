"""What belongs to the process and not to a module: environment, folder, logging, handlers."""

from __future__ import annotations

import decimal
import locale
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import Any

Around = dict[str, Any]
_IGNORED = {"PYTEST_CURRENT_TEST"}
_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")


def take() -> Around:
    """Return everything, by key."""
    found: Around = {f"environment:{k}": v for k, v in os.environ.items() if k not in _IGNORED}
    with suppress(OSError):
        found["folder:cwd"] = os.getcwd()  # noqa: PTH109 - as text
    found["path:sys.path"] = list(sys.path)
    found["warnings:filters"] = list(warnings.filters)
    found["random:random"] = random.getstate()
    found["locale:locale"] = locale.setlocale(locale.LC_ALL)
    found["locale:timezone"] = (time.tzname, time.timezone)
    context = decimal.getcontext()
    found["decimal:context"] = (context.prec, context.rounding)
    found["socket:timeout"] = socket.getdefaulttimeout()
    found["limit:recursion"] = sys.getrecursionlimit()
    found["umask:umask"] = _umask()
    found.update({f"handler:{name}": signal.getsignal(name) for name in _signals()})
    found.update({f"hook:{name}": getattr(sys, name) for name in _HOOKS})
    found["hook:threading"] = threading.excepthook
    found.update(_logging())
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        found["random:numpy"] = repr(numpy.get_state())
    return found


def _signals() -> list[signal.Signals]:
    return [one for one in signal.Signals if one not in (signal.SIGKILL, signal.SIGSTOP)]


def _umask() -> int:
    now = os.umask(0o22)
    os.umask(now)
    return now


def _logging() -> Around:
    found: Around = {"logging:disable": logging.root.manager.disable}
    names: dict[str, Any] = {"root": logging.root, **logging.root.manager.loggerDict}
    for name, logger in names.items():
        if isinstance(logger, logging.Logger):
            handlers = [h for h in logger.handlers if "_pytest" not in type(h).__module__]
            found[f"logging:{name}"] = (
                logger.level, logger.disabled, logger.propagate, handlers, list(logger.filters),
            )  # fmt: skip
    return found


def compare(was: Around) -> list[dict[str, Any]]:
    """Return what is different now."""
    now = take()
    rows = []
    for key in sorted(was.keys() | now.keys()):
        before, after = was.get(key), now.get(key)
        fresh = key.startswith("logging:") and key not in was and _is_fresh(after)
        if fresh or _same(before, after):
            continue
        kind = key.partition(":")[0]
        told = ("changed", "changed") if kind == "random" else (_words(before), _words(after))
        rows.append({"key": key, "kind": kind, "was": told[0], "now": told[1], "double": False})
    return rows


def _same(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # handlers of strangers
        return left is right


def _is_fresh(settings: Any) -> bool:
    level, disabled, propagate, handlers, filters = settings
    return level == 0 and not disabled and propagate and not handlers and not filters


def _words(value: Any) -> str:
    return "absent" if value is None else repr(value)[:80]


def restore(key: str, was: Around) -> None:
    """Put the one thing back that ``key`` names."""
    kind, _, name = key.partition(":")
    value = was.get(key)
    work = _RESTORE.get(kind)
    if work is not None:
        with suppress(Exception):
            work(name, value)


def _environment(name: str, value: Any) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _set_path(_: str, value: Any) -> None:
    sys.path[:] = value


def _filters(_: str, value: Any) -> None:
    warnings.filters[:] = value  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001


def _random(name: str, value: Any) -> None:
    if name == "random":
        random.setstate(value)


def _locale(name: str, value: Any) -> None:
    if name == "locale":
        locale.setlocale(locale.LC_ALL, value)
    else:
        time.tzset()


def _decimal(_: str, value: Any) -> None:
    decimal.getcontext().prec, decimal.getcontext().rounding = value


def _hook(name: str, value: Any) -> None:
    setattr(*((threading, "excepthook") if name == "threading" else (sys, name)), value)


def _restore_logging(name: str, value: Any) -> None:
    if name == "disable":
        logging.disable(value)
        return
    logger = logging.root if name == "root" else logging.getLogger(name)
    ours = [h for h in logger.handlers if "_pytest" in type(h).__module__]
    if value is None:
        value = (0, False, True, [], [])
    level, logger.disabled, logger.propagate, handlers, filters = value
    logger.setLevel(level)
    logger.handlers[:] = [*handlers, *ours]
    logger.filters[:] = filters


_RESTORE = {
    "environment": _environment,
    "folder": lambda _, value: os.chdir(value),
    "path": _set_path,
    "warnings": _filters,
    "random": _random,
    "locale": _locale,
    "decimal": _decimal,
    "socket": lambda _, value: socket.setdefaulttimeout(value),
    "limit": lambda _, value: sys.setrecursionlimit(value),
    "umask": lambda _, value: os.umask(value),
    "handler": lambda name, value: signal.signal(int(name), value),
    "hook": _hook,
    "logging": _restore_logging,
}
