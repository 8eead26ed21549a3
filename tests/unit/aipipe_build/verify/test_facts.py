"""What is read out of BuildKit's raw progress."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aipipe_build.record.timings import read_timings
from aipipe_build.verify.facts import Fact, read_facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def progress(*vertexes: Mapping[str, object]) -> str:
    return "\n".join(json.dumps({"vertexes": [vertex]}, indent=1) for vertex in vertexes)


def test_steps_are_read_and_everything_else_is_left_out() -> None:
    text = progress(
        {"digest": "1", "name": "[internal] load build context"},
        {"digest": "2", "name": "[build 1/3] FROM docker.io/library/x", "cached": True},
        {"digest": "3", "name": "[build 2/3] RUN a"},
        {"digest": "3", "name": "[build 2/3] RUN a", "cached": True},
        {"digest": "4", "name": "[ 9/10] RUN b\nc"},
        {"digest": "5", "name": "[linux/amd64 build 3/3] COPY a b", "error": "gone"},
        {"digest": "6", "name": "[build 3/3] LINK COPY --link a b"},
    )
    assert read_facts(text) == [
        Fact("build", "RUN a", cached=True),
        Fact("", "RUN b\nc", cached=False),
        Fact("build", "COPY a b", cached=False, error="gone"),
    ]


def test_a_copy_speaks_for_its_download() -> None:
    copy = {"digest": "1", "name": "[2/2] ADD http://x/f /", "inputs": ["2"]}
    download = {"digest": "2", "name": "[2/2] ADD http://x/f /", "cached": True}
    assert not read_facts(progress(copy, download))[0].cached
    assert not read_facts(progress(download, copy))[0].cached


def test_what_breaks_off_is_read_as_far_as_it_goes() -> None:
    text = progress({"digest": "1", "name": "[2/2] RUN a"}) + '\n{"vertexes": [{"dig'
    assert [fact.instruction for fact in read_facts(text)] == ["RUN a"]


def test_seconds_are_those_of_steps_that_ran(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    times = {"started": "2030-01-01T00:00:00.123456789Z", "completed": "2030-01-01T00:00:02Z"}
    path.write_text(
        progress(
            {"digest": "1", "name": "[2/3] RUN a", **times},
            {"digest": "2", "name": "[3/3] RUN b", "cached": True, **times},
        )
    )
    assert read_timings(path) == {"RUN a": 1.876544}
