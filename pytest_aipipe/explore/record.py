"""The calls that the nearest tests make of the changed functions, with rebuildable arguments."""

from __future__ import annotations

import gc
import sys
import threading
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.explore.rebuild import Source, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

    from pytest_aipipe.explore.wire import Message

PER_FUNCTION = 40
MAX_CALLS = 400
MAX_INSTANCES = 4000
MAX_ARGUMENT = 600
_VARIADIC, _KEYWORDS = 0x04, 0x08


class Recorder:
    """A tracer that looks only at the watched code objects and at constructors."""

    def __init__(
        self, watched: Mapping[types.CodeType, str], inits: frozenset[types.CodeType]
    ) -> None:
        self.watched = watched
        self.inits = inits
        self.calls: list[dict[str, Any]] = []
        self.nodeid = ""
        self._known: dict[int, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {}
        self._counts: dict[str, int] = {}
        self._seen: set[str] = set()
        self._busy = False

    def __call__(self, frame: types.FrameType, event: str, _arg: object) -> Any:
        """Be called by the interpreter for each new frame."""
        code = frame.f_code
        if self._busy or event != "call":
            return None
        if code in self.inits:
            self._note_instance(frame)
        if code not in self.watched:
            return None
        self._busy = True
        try:
            lines = self._note_call(frame)
        except Exception:  # a stranger's property or __repr__ must not end the recording
            lines = None
        finally:
            self._busy = False
        return _line_tracer(lines) if lines is not None else None

    def constructed(self, value: object) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Return what ``value`` was constructed with, where its constructor was seen."""
        known = self._known.get(id(value))
        return (known[1], known[2]) if known is not None and known[0] is value else None

    def _note_instance(self, frame: types.FrameType) -> None:
        names = frame.f_code.co_varnames
        held = frame.f_locals.get(names[0]) if names else None
        if held is None or id(held) in self._known or len(self._known) >= MAX_INSTANCES:
            return
        _, args, kwargs = _arguments(frame, skip=1)
        self._known[id(held)] = (held, args, kwargs)  # held, so that its id stays its own

    def _note_call(self, frame: types.FrameType) -> set[int] | None:
        name = self.watched[frame.f_code]
        if self._counts.get(name, 0) >= PER_FUNCTION or len(self.calls) >= MAX_CALLS:
            return None
        names = frame.f_code.co_varnames
        bound = bool(names) and names[0] in {"self", "cls", "mcs"} and "." in name
        receiver, args, kwargs = _arguments(frame, skip=1 if bound else 0)
        imports: set[str] = set()
        written = {
            "receiver": self._write(receiver, imports) if bound else None,
            "args": [self._write(one, imports) for one in args],
            "kwargs": {key: self._write(one, imports) for key, one in kwargs.items()},
        }
        mark = f"{name}{written}"
        if mark in self._seen:
            return None
        self._seen.add(mark)
        self._counts[name] = self._counts.get(name, 0) + 1
        lines: set[int] = set()
        self.calls.append(
            {
                **written,
                "module": frame.f_globals.get("__name__", ""),
                "qualname": name,
                "imports": sorted(imports),
                "nodeid": self.nodeid,
                "lines": lines,
            }
        )
        return lines

    def _write(self, value: object, imports: set[str]) -> str | None:
        source: Source | None = source_of(value, self.constructed)
        if source is None or len(source.code) > MAX_ARGUMENT:
            return None
        imports.update(source.imports)
        return source.code


def _line_tracer(lines: set[int]) -> Callable[..., Any]:
    def local(frame: types.FrameType, event: str, _arg: object) -> Any:
        if event == "line":
            lines.add(frame.f_lineno)
        return local

    return local


def _arguments(frame: types.FrameType, *, skip: int) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Return the first argument where it is skipped, the positional and the named ones."""
    code, held = frame.f_code, frame.f_locals
    names = code.co_varnames
    positional = [held[one] for one in names[: code.co_argcount] if one in held]
    end = code.co_argcount + code.co_kwonlyargcount
    named = {one: held[one] for one in names[code.co_argcount : end] if one in held}
    if code.co_flags & _VARIADIC:
        positional += held.get(names[end], ())
        end += 1
    if code.co_flags & _KEYWORDS:
        named.update(held.get(names[end], {}))
    first = positional[0] if skip and positional else None
    return first, tuple(positional[skip:]), named


def record(session: pytest.Session, message: Message, setup: Message) -> Message:
    """Run the collected tests, as long as time allows, and return the calls that were seen."""
    watched, inits = _watched(message["symbols"], setup["files"])
    recorder = Recorder(watched, inits)
    deadline = time.monotonic() + float(message["seconds"])
    threading.settrace(recorder)
    sys.settrace(recorder)
    try:
        for item in _chosen(session, message.get("nodeids", [])):
            if time.monotonic() > deadline or len(recorder.calls) >= MAX_CALLS:
                break
            recorder.nodeid = item.nodeid
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    except Exception as error:  # what was recorded so far is still of use
        problem = f"{type(error).__name__}: {error}"
    else:
        problem = ""
    finally:
        sys.settrace(None)
        threading.settrace(None)
    calls = [{**one, "lines": sorted(one["lines"])} for one in recorder.calls]
    return {"status": "passed", "calls": calls, "detail": problem}


def _chosen(session: pytest.Session, nodeids: Sequence[str]) -> list[pytest.Item]:
    order = {nodeid: i for i, nodeid in enumerate(nodeids)}
    known = [one for one in session.items if one.nodeid in order]
    return sorted(known, key=lambda one: order[one.nodeid]) if known else list(session.items)


def _watched(
    symbols: Sequence[Sequence[str]], files: Mapping[str, str]
) -> tuple[dict[types.CodeType, str], frozenset[types.CodeType]]:
    """Return the code objects of the symbols, of their classes' methods and of their callers."""
    wanted = {(path, symbol) for path, symbol in symbols}
    owners = {(path, symbol.rpartition(".")[0]) for path, symbol in symbols if "." in symbol}
    last = {symbol.rpartition(".")[2] for _, symbol in symbols}
    folders = {str(Path(name).parent) for name in files}
    watched: dict[types.CodeType, str] = {}
    inits: set[types.CodeType] = set()
    for function in [one for one in gc.get_objects() if type(one) is types.FunctionType]:
        code = function.__code__
        if not code.co_filename.startswith(tuple(folders)):
            continue
        name = code.co_qualname.replace(".<locals>", "")
        if code.co_name == "__init__":
            inits.add(code)
        path = files.get(code.co_filename)
        owner = name.rpartition(".")[0]
        if (
            path is not None
            and ((path, name) in wanted or (path, owner) in owners or (path, owner) in wanted)
        ) or (last & set(code.co_names) and path is not None):
            watched[code] = name
    return watched, frozenset(inits)
