"""The report on an image as one page that needs nothing else: no script, no network."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aipipe_build.report.picture import NARROW, WIDE, picture_of_builds, picture_of_layers
from aipipe_build.report.words import megabytes, seconds, signed

if TYPE_CHECKING:
    from collections.abc import Mapping


def render_page(document: Mapping[str, Any]) -> str:
    """Return the page. Its policy forbids every load."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"size": megabytes, "seconds": seconds, "signed": signed}
    source = files("aipipe_build.report").joinpath("templates/image.html.jinja")
    shapes = (WIDE, NARROW)
    template = environment.from_string(source.read_text(encoding="utf-8"))
    return template.render(
        report=document,
        # They escape what they show themselves.
        layers=[Markup(picture_of_layers(document["image"], s)) for s in shapes],  # noqa: S704
        builds=[Markup(picture_of_builds(document["builds"], s)) for s in shapes],  # noqa: S704
    )
