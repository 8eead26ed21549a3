"""The state that tests share: taken before, compared after, and put back piece by piece.

A change is named by a key such as ``attribute:shop.config.DEBUG`` or ``environment:HOME``.
Values of the project's modules and classes are compared by content, those of all other
modules by identity: nobody replaces a function of the standard library by accident.
"""

from __future__ import annotations

import copy
import functools
import os
import sys
import types
from typing import Any

from pytest_aipipe.flaky.child import surroundings

MISSING = object()
_PLAIN = (dict, list, set, bytearray)
_SCALARS = (int, float, complex, str, bytes, bool, type(None), tuple, frozenset)
_TESTING = ("_pytest", "pytest", "pluggy", "py.", "pytest_aipipe", "time_machine", "_time_machine")
_NOISE = (
    "sys.std", "sys.last_", "sys.argv", "sys.path", "sys.meta_path", "sys.modules", "asyncio.",
    "re.", "linecache.", "warnings.", "os.environ", "random._inst", "threading._", "logging.",
    "weakref.", "functools.", "atexit.", "copyreg.", "abc.", "tempfile._",
)  # fmt: skip
"""What changes by itself, or is told apart elsewhere."""
DEPTH = 3


class Held:
    """One place of state: how to reach it, what was in it, and a copy of the content."""

    __slots__ = ("content", "name", "owner", "value")

    def __init__(self, owner: Any, name: str, value: Any, content: Any) -> None:
        self.owner, self.name, self.value, self.content = owner, name, value, content


class Snapshot:
    """All that tests share, as it is now."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.held = self._gather()
        self.around = surroundings.take()
        self.modules = dict(sys.modules)
        self.files = _files(top)

    def _gather(self) -> dict[str, Held]:
        found: dict[str, Held] = {}
        seen: set[int] = set()
        for name, module in _modules():
            if not isinstance(module, types.ModuleType) or name.startswith(_TESTING):
                continue
            ours = str(getattr(module, "__file__", "")).startswith(self.top)
            for key, value in list(vars(module).items()):
                if key.startswith("__") or (ours and key.startswith("@")):
                    continue
                self._hold(found, f"{name}.{key}", module, key, value, ours=ours, seen=seen)
        return found

    def _hold(
        self, found: dict[str, Held], path: str, owner: Any, key: str, value: Any,
        *, ours: bool, seen: set[int], depth: int = 0,
    ) -> None:  # fmt: skip
        content = _copied(value) if ours else MISSING
        found[path] = Held(owner, key, value, content)
        if id(value) in seen or isinstance(value, (types.ModuleType, *_SCALARS)):
            return
        if isinstance(value, type) and not self._is_home(path, owner, value, ours=ours):
            return  # a class is held where it was defined, whoever imported it first
        seen.add(id(value))
        inner: Any = None
        if isinstance(value, type):
            inner = vars(value)
        elif ours and isinstance(value, (functools._lru_cache_wrapper,)):  # noqa: SLF001
            found[f"{path}.cache"] = Held(value, "", MISSING, value.cache_info().currsize)
        elif ours and self._is_ours(type(value)) and depth < DEPTH:
            inner = getattr(value, "__dict__", None)
        elif ours and isinstance(value, types.FunctionType):
            inner = vars(value)
            if value.__defaults__:
                found[f"{path}.defaults"] = Held(
                    value, "__defaults__", value.__defaults__, _copied(list(value.__defaults__))
                )
        if not inner:
            return
        for name, sub in list(inner.items()):
            if not name.startswith("__"):
                self._hold(
                    found, f"{path}.{name}", value, name, sub,
                    ours=ours, seen=seen, depth=depth + 1,
                )  # fmt: skip

    def _is_home(self, path: str, owner: Any, cls: type, *, ours: bool) -> bool:
        home = str(getattr(cls, "__module__", ""))
        return home == _module_of(path, owner) and (not ours or self._is_ours(cls))

    def _is_ours(self, cls: type) -> bool:
        module = sys.modules.get(getattr(cls, "__module__", ""))
        return str(getattr(module, "__file__", "")).startswith(self.top)

    def changes(self) -> list[dict[str, Any]]:
        """Return what is different now: key, kind, and both values in words."""
        rows = []
        now = self._gather()
        for path, was in self.held.items():
            row = _compare(path, was, now.get(path))
            told_elsewhere = path.startswith("sys.") and path.endswith("hook")
            noise = path.startswith(_NOISE) and not (row and row["double"])
            if row is not None and not noise and not told_elsewhere:
                rows.append(row)
        for path in now.keys() - self.held.keys():
            parent = path.rpartition(".")[0]
            loaded = ".".join(path.split(".")[:1]) in self.modules
            known = parent in self.modules or parent in self.held
            if loaded and known and not path.startswith(_NOISE):
                told = _words(now[path].value)
                row = {"key": f"attribute:{path}", "kind": "attribute", "was": "absent",
                       "now": told, "double": _is_double(now[path].value)}  # fmt: skip
                rows.append(row)
        rows += surroundings.compare(self.around)
        rows += self._module_changes()
        rows += self._file_changes()
        return rows

    def _module_changes(self) -> list[dict[str, Any]]:
        rows = []
        for name, module in self.modules.items():
            now = sys.modules.get(name, MISSING)
            if now is not module:
                told = "absent" if now is MISSING else _words(now)
                rows.append({"key": f"module:{name}", "kind": "module", "was": _words(module),
                             "now": told, "double": _is_double(now)})  # fmt: skip
        for name in sys.modules.keys() - self.modules.keys():
            found: Any = sys.modules[name]
            spec = getattr(found, "__spec__", None)
            if not isinstance(found, types.ModuleType) or spec is None:
                rows.append({"key": f"module:{name}", "kind": "module", "was": "absent",
                             "now": _words(found), "double": True})  # fmt: skip
        return rows

    def _file_changes(self) -> list[dict[str, Any]]:
        now = _files(self.top)
        rows = []
        for path in sorted(self.files.keys() | now.keys()):
            if self.files.get(path) != now.get(path):
                was = "absent" if path not in self.files else "as it was"
                told = "removed" if path not in now else "written"
                rows.append({"key": f"file:{path}", "kind": "file", "was": was, "now": told,
                             "double": False})  # fmt: skip
        return rows

    def restore(self, keys: Any) -> None:
        """Put back what ``keys`` name."""
        for key in keys:
            kind, _, path = key.partition(":")
            if kind == "attribute":
                self._restore_attribute(path)
            elif kind == "module":
                _put(sys.modules, path, self.modules.get(path, MISSING))
            elif kind == "file":
                if path not in self.files:
                    _unlink(path)
            else:
                surroundings.restore(key, self.around)

    def _restore_attribute(self, path: str) -> None:
        was = self.held.get(path)
        if was is None:
            owner_path, _, name = path.rpartition(".")
            owner: Any = self.modules.get(owner_path)
            if owner is None and owner_path in self.held:
                owner = self.held[owner_path].value
            if owner is not None and name in getattr(owner, "__dict__", {}):
                delattr(owner, name)
            return
        if path.endswith(".cache") and was.value is MISSING:
            was.owner.cache_clear()
            return
        if path.endswith(".defaults") and was.name == "__defaults__":
            for value, content in zip(was.value, was.content, strict=False):
                _refill(value, content)
            return
        _refill(was.value, was.content)
        setattr(was.owner, was.name, was.value)


def _modules() -> list[tuple[str, Any]]:
    return list(sys.modules.items())


def paths(top: str, written: list[str]) -> dict[str, str]:
    """Return the project's module attributes that hold the way to a written path, with types."""
    found = {}
    for name, module in _modules():
        if not str(getattr(module, "__file__", "")).startswith(top):
            continue
        for key, value in list(vars(module).items()):
            if not isinstance(value, (str, os.PathLike)) or key.startswith("__"):
                continue
            text = os.fspath(value)
            whole = os.path.abspath(text) if isinstance(text, str) and text else ""  # noqa: PTH100
            if len(whole) > 1 and any(_leads(whole, path) for path in written):
                found[f"{name}.{key}"] = "str" if isinstance(value, str) else "path"
    return found


def _leads(place: str, path: str) -> bool:
    return path == place or path.startswith(place + os.sep)


def _module_of(path: str, owner: Any) -> str:
    name = getattr(owner, "__name__", "")
    return str(name) if isinstance(owner, types.ModuleType) else path.rpartition(".")[0]


def _copied(value: Any) -> Any:
    """Return a copy of a container's content, MISSING where identity has to do."""
    if not isinstance(value, _PLAIN) and not _is_container(value):
        return MISSING
    try:
        return copy.deepcopy(value)
    except Exception:  # a stranger's value; its first level has to do
        try:
            return copy.copy(value)
        except Exception:
            return MISSING


def _is_container(value: Any) -> bool:
    return type(value).__module__ in ("collections", "array") and hasattr(value, "__len__")


def _refill(value: Any, content: Any) -> None:
    """Give a container its old content back, in place: others may hold it as well."""
    if content is MISSING:
        return
    if isinstance(value, dict | set):
        value.clear()
        value.update(content)
    elif hasattr(value, "clear") and hasattr(value, "extend"):
        value.clear()
        value.extend(content)
    elif isinstance(value, list | bytearray):
        value[:] = content


def _compare(path: str, was: Held, now: Held | None) -> dict[str, Any] | None:
    row = {"key": f"attribute:{path}", "kind": "attribute", "double": False}
    if now is None:
        return {**row, "was": _words(was.value), "now": "absent"}
    if path.endswith(".cache") and was.value is MISSING:
        if was.content == now.content:
            return None
        return {**row, "kind": "cache", "was": f"{was.content} entries", "now": f"{now.content}"}
    if was.name == "__defaults__":
        same = _equal(was.content, now.content)
        return None if same else {**row, "was": _words(was.content), "now": _words(now.content)}
    if now.value is not was.value:
        if isinstance(was.value, _SCALARS) and type(was.value) is type(now.value):
            if _equal(was.value, now.value):
                return None
        elif isinstance(was.value, types.BuiltinMethodType) and was.value == now.value:
            return None
        double = _is_double(now.value) or _is_replaced(was.value, now.value)
        return {**row, "was": _words(was.value), "now": _words(now.value), "double": double}
    if was.content is not MISSING and not _equal(was.content, now.value):
        return {**row, "was": _words(was.content), "now": _words(now.value)}
    return None


def _is_double(value: Any) -> bool:
    return any(cls.__module__ == "unittest.mock" for cls in type(value).__mro__)


def _is_replaced(was: Any, now: Any) -> bool:
    """Whether code stands where other code stood: a function, a class, a method."""
    return callable(was) and callable(now)


def _equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # values of strangers
        return left is right


def _words(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # values of strangers
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    if value is MISSING:
        table.pop(key, None)
    else:
        table[key] = value


def _files(top: str) -> dict[str, tuple[int, int]]:
    """Return size and time of each file under the project and the temporary folder."""
    import tempfile

    found = {}
    for folder in (top.rstrip(os.sep), tempfile.gettempdir()):
        for place, folders, names in os.walk(folder):
            folders[:] = [f for f in folders if f not in ("__pycache__", ".git", "pytest")]
            for name in names:
                path = os.path.join(place, name)  # noqa: PTH118
                try:
                    told = os.stat(path)  # noqa: PTH116
                except OSError:
                    continue
                found[path] = (told.st_size, told.st_mtime_ns)
    return found


def _unlink(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        return
