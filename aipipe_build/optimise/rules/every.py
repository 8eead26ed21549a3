"""All rules, in the order in which they are tried: each works on what those before it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.optimise.rules import (
    digest,
    ignore,
    layers,
    manifests,
    mounts,
    order,
    slim,
    stages,
)
from aipipe_build.optimise.rules import user as users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_build.optimise.situation import Rule

RULES: Mapping[str, Rule] = {
    "ignore": ignore.propose,
    "layers": layers.propose,
    "order": order.propose,
    "manifests": manifests.propose,
    "stages": stages.propose,
    "slim": slim.propose,
    "mounts": mounts.propose,
    "user": users.propose,
    "digest": digest.propose,
}
"""By name. ``order`` comes before ``manifests``: what is moved needs no manifest in front."""
REPEATED = frozenset({"order", "manifests"})
"""Rules that take one step at a time."""
