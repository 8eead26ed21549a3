"""What the workshop puts on record: what it has built, as long as that is what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipipe_build.engine.client import EngineClient
from aipipe_build.optimise.workshop import Workshop
from aipipe_build.options import make_parser, make_request, parse_options
from aipipe_build.predict.job import Job

TEXT = "FROM scratch\nCOPY a /a\n"


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "a").write_text("one")
    (folder / "Dockerfile").write_text(TEXT)
    return folder


def test_what_was_built_is_recorded_unless_files_changed_since(context: Path) -> None:
    options = parse_options(make_parser("test", ""), [str(context)])

    def job() -> Job:
        request = make_request(options, environ={})
        return Job.open(request, current=Path.cwd(), engine=EngineClient())

    with Workshop(options, EngineClient(), {}, _keys={job().fingerprint()}) as workshop:
        (context / "a").write_text("another")
        assert not workshop.remember(TEXT, None)
        assert not job().history.states
        (context / "a").write_text("one")
        assert not workshop.remember(TEXT + "COPY a /b\n", None)
        assert workshop.remember(TEXT, None)
    assert [step.verdict for step in job().predict().steps] == ["hit"]
