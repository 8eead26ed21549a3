"""A run in Markdown, for a pull request or a job's summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aipipe_build.report.words import agreement_in_words, counts, seconds, wrong_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@!])")


def render_markdown(document: Mapping[str, Any]) -> str:
    """Return the run: a table of the images, below it the steps of each."""
    lines = [
        "## Image build",
        "",
        "| image | decision | result | took | saved | why |",
        "|---|---|---|---|---|---|",
    ]
    for image in document["images"]:
        cells = (
            code(image["name"]),
            image["decision"],
            image["result"].replace("-", " "),
            seconds(image["seconds"]),
            seconds(image["saves_seconds"]),
            plain(image["error"] or image["reason"]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    for image in document["images"]:
        lines += _steps(image)
    return "\n".join(lines) + "\n"


def _steps(image: Mapping[str, Any]) -> list[str]:
    if not image["steps"]:
        return []
    summary = agreement_in_words(counts(image)) if image["result"] == "built" else "failed"
    lines = [
        "",
        f"<details><summary>{plain(image['name'])}: {summary}</summary>",
        "",
        "| step | predicted | was | took | why |",
        "|---|---|---|---|---|",
    ]
    for step in image["steps"]:
        fact = "not run" if step["fact"] == "absent" else step["fact"]
        took = "" if step["seconds"] is None else seconds(step["seconds"])
        text = f"{step['stage']} {step['instruction']}".strip()
        cells = (code(text), step["verdict"], fact, took, plain(step["cause"]))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "</details>"]
    lines += ["", *(f"- warning: {plain(text)}" for text in image["warnings"])]
    if wrong_steps(image):
        paths = ", ".join(code(path) for path in image["defects"])
        lines += ["", f"The prediction was wrong, a defect of aipipe. To paste: {paths}"]
    return lines


def code(text: str) -> str:
    """Return ``text`` as code in a table's cell; ticks and pipes in it stay harmless."""
    flat = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def plain(text: str) -> str:
    """Return ``text`` as plain words: nothing in it is taken for Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("\\<", "&lt;")
