"""What would be sent to a model for a change: made by a real run that sends nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREVIEW = "AIPIPE_MODEL_PREVIEW"
USAGE_ERROR = 4


def command(spec: str | None, extra: list[str]) -> list[str]:
    """Return the run: tests are selected, measured, generated for; the questions are written."""
    diff = f"--ai-diff={spec}" if spec else "--ai-diff"
    return [sys.executable, "-m", "pytest", diff, "-q", *extra]


def would_send(
    root: Path, spec: str | None, environ: Mapping[str, str], extra: list[str]
) -> list[dict[str, Any]]:
    """Return each question with its address, exactly as it would be sent.

    Raises ``SurroundingsError`` (``preview-failed``) where the run could not be made.
    """
    with tempfile.TemporaryDirectory(prefix="aipipe-") as folder:
        place = Path(folder) / "questions.jsonl"
        done = subprocess.run(
            command(spec, extra),
            cwd=root,
            env={**environ, PREVIEW: str(place)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode >= USAGE_ERROR and not place.exists():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise SurroundingsError(
                "preview-failed",
                "The run that would ask a model did not come about",
                where=said[-1] if said else f"exit code {done.returncode}",
                hint="Run pytest --ai-diff to see what is wrong.",
            )
        text = place.read_text("utf-8") if place.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def in_words(questions: list[dict[str, Any]]) -> str:
    """Return the questions as they would leave, with where they would go."""
    if not questions:
        return "Nothing would be sent."
    out = []
    for one in questions:
        out.append(f"=== to {one['to']}, about {one['about']}")
        out.append(json.dumps(one["sent"], indent=1, ensure_ascii=False))
    out.append(f"\n{len(questions)} questions; a rejection is answered with up to two more each.")
    return "\n".join(out)


def environment() -> dict[str, str]:
    """Return this process' environment without git's own variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
