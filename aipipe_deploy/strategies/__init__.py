"""Strategies: how a release reaches its users, as data over the same few moves."""

from __future__ import annotations

from aipipe_deploy.strategies.catalogue import CATALOGUE, FIRST
from aipipe_deploy.strategies.choice import Choice, Facts, ModelAnswer, choose
from aipipe_deploy.strategies.model import Act, Per, Step, Strategy

__all__ = [
    "CATALOGUE",
    "FIRST",
    "Act",
    "Choice",
    "Facts",
    "ModelAnswer",
    "Per",
    "Step",
    "Strategy",
    "choose",
]
