"""The report on an image as Markdown, for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.report.markdown import code, plain
from aipipe_build.report.words import megabytes, seconds, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 15


def render_image(document: Mapping[str, Any]) -> str:
    """Return the report: a sentence, what grew, the layers, the last builds."""
    image, against, cache = document["image"], document["against"], document["cache"]
    change = f", {signed(against['change'])} against the last image" if against else ""
    share = f"{100 * image['efficiency']:.1f} % of it visible"
    size = (
        f"{megabytes(image['size'])} in {len(image['layers'])} layers{change}; {share}, "
        f"{megabytes(image['wasted'])} replaced or removed in higher layers."
    )
    took = (
        f"{cache['decision']}: {plain(cache['reason'])}. It took {seconds(cache['seconds'])}; "
        f"{len(cache['cached'])} cached steps saved {seconds(cache['saves_seconds'])}."
    )
    lines = [f"## {plain(image['name'])}", "", size, "", took]
    if against:
        lines += _grew(against)
    lines += ["", "| layer | size | wasted | instruction |", "|---|---|---|---|"]
    for number, row in enumerate(image["layers"], 1):
        cells = (str(number), megabytes(row["size"]), megabytes(row["wasted"]))
        lines.append(f"| {' | '.join(cells)} | {code(row['instruction'] or '(unknown)')} |")
    lines += [
        "",
        "| build | decision | result | took | saved | size |",
        "|---|---|---|---|---|---|",
    ]
    for row in document["builds"]:
        size = "" if row["size"] is None else megabytes(row["size"])
        shown = (
            code(row["run"]), row["decision"], row["result"], seconds(row["seconds"]),
            seconds(row["saves_seconds"]), size,
        )  # fmt: skip
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _grew(against: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    if against["folders"]:
        lines += ["", "| where | before | now | change | why |", "|---|---|---|---|---|"]
    for row in against["folders"]:
        cells = (
            code(row["path"]), megabytes(row["before"]), megabytes(row["after"]),
            signed(row["change"]), plain(row["why"]),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    if against["packages"]:
        lines += ["", "| package | before | now |", "|---|---|---|"]
    for row in against["packages"][:_MOST]:
        before, after = plain(row["before"] or "-"), plain(row["after"] or "-")
        lines.append(f"| {code(row['name'])} | {before} | {after} |")
    if len(against["packages"]) > _MOST:
        lines += ["", f"and {len(against['packages']) - _MOST} more packages"]
    return lines
