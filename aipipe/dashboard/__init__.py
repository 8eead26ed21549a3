"""The dashboard: how a repository's runs went over time."""

from __future__ import annotations

from aipipe.dashboard.history import Point, Series, history_of
from aipipe.dashboard.render import render_dashboard

__all__ = ["Point", "Series", "history_of", "render_dashboard"]
