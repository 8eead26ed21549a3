"""The page of a run: one HTML file that a reviewer opens anywhere, with nothing else beside it."""

from __future__ import annotations

from aipipe.page.gather import Page, gather
from aipipe.page.render import render_page

__all__ = ["Page", "gather", "render_page"]
