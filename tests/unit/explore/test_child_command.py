from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_aipipe.explore.process import command, environment
from pytest_aipipe.generate.request import Request


def request_with(*words: str) -> Request:
    here = Path("/project")
    return Request(here, here, here, (), words, {}, {}, {}, {}, {}, {}, (), (), 1.0)


@pytest.mark.parametrize("blocked", ["no:cov", "no:pytest_cov"])
def test_a_plugin_blocked_by_either_of_its_names_gets_no_option(blocked: str) -> None:
    assert "--no-cov" not in command(request_with("-p", blocked), [])


def test_other_plugins_that_measure_or_distribute_are_told_not_to() -> None:
    words = command(request_with(), [])

    assert "--no-cov" in words
    assert "-n0" in words


def test_a_child_stands_where_pytest_was_started_unless_it_is_to_stand_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = replace(request_with(), environ={"TZ": "UTC", "TOKEN": "secret"})
    monkeypatch.setenv("TZ", "CET-1CEST")  # by a test module, since then

    assert environment(request, "0")["TZ"] == "UTC"
    assert environment(request, "0", zone="Asia/Kathmandu")["TZ"] == "Asia/Kathmandu"
    assert "TOKEN" not in environment(request, "0")
