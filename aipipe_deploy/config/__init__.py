"""The deploy agent's configuration: services, proxy, strategies' numbers, calendar."""

from __future__ import annotations

from aipipe_deploy.config.load import load_deploy, parse_deploy
from aipipe_deploy.config.model import (
    Calendar,
    Canary,
    Deploy,
    Freeze,
    Job,
    Metrics,
    Proxy,
    Service,
    Watch,
)

__all__ = [
    "Calendar",
    "Canary",
    "Deploy",
    "Freeze",
    "Job",
    "Metrics",
    "Proxy",
    "Service",
    "Watch",
    "load_deploy",
    "parse_deploy",
]
