"""What was found, and how it is told: one report, one small renderer for each reader."""

from __future__ import annotations

from aipipe_core.findings.model import Finding, Level, Report, Section, Table
from aipipe_core.findings.render import KINDS, Renderer, render, renderer_for

__all__ = [
    "KINDS",
    "Finding",
    "Level",
    "Renderer",
    "Report",
    "Section",
    "Table",
    "render",
    "renderer_for",
]
