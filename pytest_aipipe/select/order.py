"""The order of the selected tests: the likeliest to fail first.

What keeps its order are the tests of one class and the rows of one parametrized function:
they may share fixtures, or build on one another. Functions of a file stay together, so that
what is shared by a file is set up once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_aipipe.select.evidence import Found
    from pytest_aipipe.select.testmap import Known

UNKNOWN_SECONDS = 0.01


def ordered(nodeids: Sequence[str], known: Mapping[str, Known], found: Found) -> list[str]:
    """Return ``nodeids`` in the order in which they should run; as they are without history."""
    if not known:
        return list(nodeids)
    files: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for nodeid in nodeids:
        path, _, rest = nodeid.partition("::")
        files[path][rest.partition("[")[0].partition("::")[0]].append(nodeid)
    scored = {nodeid: promise(nodeid, known.get(nodeid), found) for nodeid in nodeids}
    costs = {nodeid: _seconds(known.get(nodeid)) for nodeid in nodeids}

    def rate(some: Sequence[str]) -> float:
        """Failures that a second of these brings, at best."""
        return max(scored[one] for one in some) / math.sqrt(sum(costs[one] for one in some))

    result: list[str] = []
    groups = [sorted(by_name.values(), key=rate, reverse=True) for by_name in files.values()]
    best = sorted(groups, key=lambda some: max(map(rate, some)), reverse=True)
    for some in best:
        for group in some:
            result.extend(group)
    return result


def promise(nodeid: str, known: Known | None, found: Found) -> float:
    """Return how much a test promises to fail: history, and how close it is to what changed."""
    close = found.close.get(nodeid, 0.0)
    wide = found.wide.get(nodeid, 0)
    score = 0.05 + close + (close / math.sqrt(1 + wide) if wide else 0.0)
    if known is None:
        return score + 0.5  # nobody has seen it pass
    verdicts = known.verdicts.replace("?", "")
    failures = verdicts.count("f") / len(verdicts) if verdicts else 0.5
    return score + failures + (2.0 if verdicts.endswith("f") else 0.0)


def _seconds(known: Known | None) -> float:
    return max(known.seconds if known else UNKNOWN_SECONDS, 0.0005)
