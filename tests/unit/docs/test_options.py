"""docs/options.md names every option of pytest and of the three commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aipipe.cli import main as aipipe
from aipipe_build.cli import main as build
from aipipe_deploy.cli import main as deploy
from pytest_aipipe.flags import _TABLE, REPORTS

TEXT = (Path(__file__).parents[3] / "docs" / "options.md").read_text(encoding="utf-8")
COMMANDS = {
    aipipe: "analyze run doctor calibrate init report dashboard publish",
    build: "record predict decide run optimise scan report",
    deploy: "plan up status watch rollback resume history replay",
}


def test_every_flag_of_pytest_and_every_report_is_there() -> None:
    assert [name for name, _ in _TABLE if f"`--ai-{name}" not in TEXT] == []
    assert [name for name in REPORTS if f"`{name}`" not in TEXT] == []


@pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param(command, name, id=f"{command.__module__}-{name}")
        for command, names in COMMANDS.items()
        for name in names.split()
    ],
)
def test_every_option_that_a_command_tells_of_is_there(
    command: object, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(command)
    try:
        code = command([name, "--help"])
    except SystemExit as stop:
        code = stop.code
    assert not code
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert sorted(one for one in told if not re.search(rf"{one}(?![\w-])", TEXT)) == []
