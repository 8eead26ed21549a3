"""The three commands, started by somebody who does not know them yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe.cli import main as aipipe
from aipipe_build.cli import main as build
from aipipe_core.errors import ExitCode
from aipipe_deploy.cli import main as deploy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (aipipe, ("analyze", "run", "doctor", "init", "report", "dashboard", "publish")),
        (build, ("predict", "decide", "run", "optimise", "scan", "report")),
        (deploy, ("plan", "up", "rollback", "resume", "replay")),
    ],
)
def test_a_command_alone_lists_what_there_is(
    command: Callable[[Sequence[str]], int],
    names: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command([]) == ExitCode.WRONG_REQUEST
    said = capsys.readouterr().out.split()
    assert set(names) <= set(said)
