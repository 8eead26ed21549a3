"""The plugin that turns a pytest process into an explorer, or into one run of the gate.

Loaded with ``-p`` so that it is here before the project's conftests. pytest collects the
nearest test files as it always does; then, in place of running them, requests are served:
each candidate runs in a fork of this process, so that nothing it does stays behind. What is
spoken goes over the descriptors that were standard input and output at the start.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_aipipe import rewriting

rewriting.spare(rewriting.is_library)  # before the rest of us and every plugin is imported

from pytest_aipipe.explore import guards  # noqa: E402
from pytest_aipipe.explore.server import Server  # noqa: E402
from pytest_aipipe.explore.tracing import RawArcs, Tracer  # noqa: E402
from pytest_aipipe.explore.wire import Message, Reader, pack, write  # noqa: E402


def _take_channel() -> tuple[int, int]:
    """Move standard input and output away, so that nothing of the project's gets in between."""
    if "AIPIPE_CHANNEL" in os.environ:  # imported again, by a pytest inside this one
        return -1, -1
    os.environ["AIPIPE_CHANNEL"] = "taken"
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return incoming, outgoing


_INCOMING, _OUTGOING = _take_channel()


class Child:
    """The hooks; ``setup`` is the first message that the parent sends."""

    def __init__(self, setup: Message) -> None:
        self.setup = setup
        self.tracer = Tracer(setup["files"])
        self.imported: RawArcs = {}
        self.problems: list[str] = []
        self.tracer.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve until the parent closes the channel."""
        for module in self.setup["modules"]:
            try:
                importlib.import_module(module)
            except BaseException as error:
                self.problems.append(f"{module}: {type(error).__name__}: {error}")
        self.imported = self.tracer.stop()
        recorder = None
        if self.setup.get("guards"):
            recorder = guards.install(
                {
                    path: (filename, self.setup["sources"][path])
                    for filename, path in self.setup["files"].items()
                    if path in self.setup["sources"]
                }
            )
        ready = {
            "ready": True,
            "imported": self.imported,
            "problems": self.problems,
            "fixtures": _fixture_names(session, Path(self.setup["target"])),
            "plugins": _async_mark(session),
            "items": len(session.items),
        }
        write(_OUTGOING, pack(ready))
        Server(
            session, self.setup, self.tracer, recorder, incoming=_READER, outgoing=_OUTGOING
        ).serve()
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session) -> None:
        """Go on with what could be collected: an error in one file must not end it all."""
        session.testsfailed = 0

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Collect no file where the parent named none: conftests and plugins are enough."""
        return True if self.setup.get("bare") and collection_path.is_file() else None

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Keep the folders' nodes: candidates are collected below them."""
        from pytest_aipipe.explore.synthetic import remember

        remember(collector)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        if report.failed:
            self.problems.append(str(report.longrepr)[-400:])


def _fixture_names(session: pytest.Session, target: Path) -> list[str]:
    """Return the fixtures visible in ``target``; pytest has no public way to ask."""
    from pytest_aipipe.explore.synthetic import parent_for

    manager: Any = session._fixturemanager  # noqa: SLF001
    names: set[str] = set()
    for table in ("_arg2fixturedefs", "_arg2node2fixturedefs", "_arg2nodeid2fixturedefs"):
        names |= set(getattr(manager, table, ()))
    try:
        node = parent_for(session, target)
        return sorted(name for name in names if manager.getfixturedefs(name, node))
    except Exception:
        return sorted(names)


def _async_mark(session: pytest.Session) -> str | None:
    plugins = session.config.pluginmanager
    if plugins.hasplugin("asyncio"):
        return "asyncio"
    if plugins.hasplugin("anyio"):
        return "anyio"
    return None


_READER = Reader(_INCOMING)


def _first_message() -> Message:
    while True:
        message = _READER.pop()
        if message is not None:
            return message
        if not _READER.pull():
            sys.exit(0)


_CHILD = Child(_first_message()) if _INCOMING >= 0 else None


def pytest_configure(config: pytest.Config) -> None:
    """Register the hooks once, in the process that owns the channel."""
    if _CHILD is not None:
        config.pluginmanager.register(_CHILD, "aipipe-child")
