"""The plugin that turns a pytest into a laboratory: collect once, then serve trials.

``AIPIPE_FLAKY`` holds the setup as JSON; it is read before any conftest is imported, so
that what the project does at import happens under the same condition.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

import pytest

from pytest_aipipe import flags
from pytest_aipipe.flaky.child.clock import Clock, can_turn, tzset
from pytest_aipipe.flaky.child.entropy import Entropy
from pytest_aipipe.flaky.child.listing import reorder
from pytest_aipipe.flaky.child.probe import Probe
from pytest_aipipe.flaky.child.serve import Server
from pytest_aipipe.flaky.child.wire import Lines, send

SETUP = "AIPIPE_FLAKY"


class Laboratory:
    """This process: its condition, and the server that takes over after collection."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.setup = setup
        knobs = setup["knobs"]
        self.top = setup["top"] + os.sep
        self.probe = Probe(self.top)
        at = knobs.get("clock")
        self.clock = (
            Clock(
                at,
                step=knobs.get("clock_step", 0.0),
                coarse=knobs.get("clock_coarse", 0.0),
                top=self.top,
            )
            if at is not None and can_turn()
            else None
        )
        seed = knobs.get("entropy")
        self.entropy = Entropy(seed) if seed is not None else None
        if knobs.get("listing"):
            reorder(knobs["listing"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Map the import path into the copy, before anything of the project is imported."""
        old, new = self.setup["origin"], self.setup["top"]
        for index, entry in enumerate(sys.path):
            if entry == old or entry.startswith(old + os.sep):
                mapped = new + entry[len(old) :]
                if os.path.isdir(mapped):  # noqa: PTH112
                    sys.path[index] = mapped
        sys.path_importer_cache.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve instead of running."""
        outgoing = self.setup["outgoing"]
        at_import = {
            "clock": self.clock.readings if self.clock else 0,
            "entropy": self.entropy.draws if self.entropy else 0,
        }
        collected = [item.nodeid for item in session.items]
        send(outgoing, {"collected": collected, "at_import": at_import})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            Server(
                session,
                Lines(self.setup["incoming"]),
                outgoing,
                top=self.top,
                origin=self.setup["origin"] + os.sep,
                scratch=self.setup["scratch"],
                probe=self.probe,
                clock=self.clock,
                entropy=self.entropy,
                knobs=self.setup["knobs"],
            ).serve()
        return True


_text = os.environ.pop(SETUP, "")
if _text:
    tzset()
    _laboratory = Laboratory(json.loads(_text))

    def pytest_addoption(parser: pytest.Parser) -> None:
        """Know our own options and ini keys: a strict configuration refuses others."""
        flags.register(parser)

    def pytest_configure(config: pytest.Config) -> None:
        """Know the mark of the quarantine: the plugin itself is not loaded here."""
        config.addinivalue_line("markers", flags.QUARANTINE_HELP)

    pytest_load_initial_conftests = _laboratory.pytest_load_initial_conftests
    pytest_runtestloop = _laboratory.pytest_runtestloop
