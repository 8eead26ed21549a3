"""Where counts come from: the proxy's own, what it logs and did before, probes, containers."""

from __future__ import annotations

from aipipe_deploy.sources.answers import AnswerLog, Latency
from aipipe_deploy.sources.counters import ProxyCounters
from aipipe_deploy.sources.memory import MemoryWatch
from aipipe_deploy.sources.probes import Probes
from aipipe_deploy.sources.prometheus import PrometheusCounters
from aipipe_deploy.sources.record import runs_before

__all__ = [
    "AnswerLog",
    "Latency",
    "MemoryWatch",
    "Probes",
    "PrometheusCounters",
    "ProxyCounters",
    "runs_before",
]
