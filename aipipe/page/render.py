"""The page's HTML. Everything shown is untrusted text: escaped, cleaned, and no script at all."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from aipipe.duration import in_words
from aipipe.page.timeline import HEIGHT, WIDTH
from aipipe_core.findings.text import clean, cut, one_line

if TYPE_CHECKING:
    from aipipe.page.gather import Page

_TEXT = 20_000


def render_page(page: Page) -> str:
    """Return the page: one file, no network, no script; dark and light, wide and narrow."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["clean"] = lambda text: cut(clean(str(text)), _TEXT)
    environment.filters["prose"] = _prose
    environment.filters["line"] = lambda text: one_line(str(text))
    environment.filters["percent"] = _percent
    environment.filters["duration"] = in_words
    source = files("aipipe.page").joinpath("page.html.jinja")
    template = environment.from_string(source.read_text(encoding="utf-8"))
    known = dict.fromkeys(_NAMES) | page.documents
    return template.render(page=page, width=WIDTH, height=HEIGHT, **known)


_NAMES = ("risk", "tests", "build", "deploy")


def _prose(text: object) -> str:
    """Return a sentence, escaped, with what stands between backticks as code."""
    from markupsafe import Markup

    pieces = cut(clean(str(text)), _TEXT).split("`")
    if len(pieces) % 2 == 0:  # a backtick without its partner
        return Markup("{}").format("`".join(pieces))
    shapes = (Markup("{}"), Markup("<code>{}</code>"))
    return Markup("").join(shapes[n % 2].format(piece) for n, piece in enumerate(pieces))


def _percent(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.0f}" if whole else "100"
