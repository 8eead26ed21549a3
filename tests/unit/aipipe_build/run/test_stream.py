"""JSON documents among plain words, and what the terminal shows of them."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from aipipe_build.run.progress import Progress
from aipipe_build.run.stream import DocumentStream
from aipipe_build.secrets import Mask

DOCUMENTS: list[dict[str, Any]] = [{"vertexes": [{"digest": "1", "name": "{"}]}, {"logs": []}]


@pytest.mark.parametrize("indent", [None, 2])
def test_documents_are_told_from_words(indent: int | None) -> None:
    texts = [json.dumps(document, indent=indent) for document in DOCUMENTS]
    lines = f"WARNING: beware\n{texts[0]}\n{texts[1]}\n\nERROR: {{gone}}\n".splitlines(
        keepends=True
    )
    stream = DocumentStream()
    found = [document for line in lines if (document := stream.feed(line)) is not None]
    assert found == DOCUMENTS
    assert stream.words == ["WARNING: beware", "ERROR: {gone}"]


def test_what_is_cut_off_is_no_document() -> None:
    stream = DocumentStream()
    assert [stream.feed(line) for line in ("{\n", '  "vertexes": [\n', "}\n")] == [None] * 3
    assert stream.words == ["{", '  "vertexes": [', "}"]


def show(*documents: dict[str, Any], secrets: tuple[str, ...] = (), verbose: bool = False) -> str:
    out = io.StringIO()
    progress = Progress(out, Mask(secrets), verbose=verbose)
    for document in documents:
        progress.take(document)
    return out.getvalue()


def vertex(name: str, **fields: Any) -> dict[str, Any]:
    return {"vertexes": [{"digest": name, "name": name, "inputs": ["0"], **fields}]}


TIMES = {"started": "2026-01-01T00:00:00.5Z", "completed": "2026-01-01T00:00:03.123456789Z"}


def test_each_step_gets_one_line_when_it_ends() -> None:
    text = show(
        vertex("[internal] load build context", **TIMES),
        vertex("[2/3] RUN make", started=TIMES["started"]),
        vertex("[2/3] RUN make", **TIMES),
        vertex("[2/3] RUN make", **TIMES),
        vertex("[3/3] COPY a b", cached=True),
    )
    assert [line.split() for line in text.splitlines()] == [
        ["[2/3]", "RUN", "make", "2.6", "s"],
        ["[3/3]", "COPY", "a", "b", "cached"],
    ]


def test_a_failing_step_shows_its_last_output_masked_and_harmless() -> None:
    data = base64.b64encode(b"\x1b[2Jpassword is hush-hush\n").decode()
    text = show(
        {"logs": [{"vertex": "[2/2] RUN x", "data": data}]},
        vertex("[2/2] RUN x", error="exit code: 1", **TIMES),
        secrets=("hush-hush",),
    )
    assert "failed" in text
    assert "password is ***" in text
    assert "\x1b" not in text
    assert "hush" not in text
