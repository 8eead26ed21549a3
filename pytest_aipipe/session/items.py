"""What is kept of a collected item, in types that also go from an xdist worker to us."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.generate.model import KnownTest
from pytest_aipipe.measure.trace import OUTSIDE, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_aipipe.generate.model import Gap
    from pytest_aipipe.measure.trace import Trace

MAX_REPR = 2000


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """A test function: where it stands, and what it asks for."""

    nodeid: str
    source_path: str
    qualname: str
    fixtures: tuple[str, ...] = ()
    params: tuple[tuple[str, str], ...] = ()

    def wire(self) -> dict[str, Any]:
        """Return plain lists and strings."""
        return {**asdict(self), "fixtures": list(self.fixtures), "params": list(self.params)}

    @classmethod
    def of_wire(cls, wire: Mapping[str, Any]) -> ItemInfo:
        """Return what :meth:`wire` packed."""
        params = tuple((str(name), str(value)) for name, value in wire["params"])
        return cls(**{**wire, "fixtures": tuple(wire["fixtures"]), "params": params})


def info_of(item: pytest.Item) -> ItemInfo | None:
    """Return what is kept of ``item``; None when it is no test function."""
    if not isinstance(item, pytest.Function):
        return None
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    name = item.originalname or item.name
    callspec = getattr(item, "callspec", None)
    params = getattr(callspec, "params", {})
    return ItemInfo(
        nodeid=item.nodeid,
        source_path=str(item.path),
        qualname=".".join([*classes, name]),
        fixtures=tuple(item.fixturenames),
        params=tuple((key, _shown(value)) for key, value in params.items()),
    )


def _shown(value: object) -> str:
    try:
        return repr(value)[:MAX_REPR]
    except Exception:  # a repr of the project's own that fails
        return ""


def known_tests(
    items: Mapping[str, ItemInfo],
    trace: Trace,
    seconds: Mapping[str, float],
    gaps: Sequence[Gap],
    spans: Mapping[tuple[str, str], range],
) -> list[KnownTest]:
    """Return the tests as material, nearest to the gaps first.

    Near is who ran lines of a gap's own function, then of its class, then of its file.
    ``spans`` are the lines of each gap's symbol and of its class (``path, qualname``).
    """
    tests = [
        KnownTest(
            nodeid=info.nodeid,
            source_path=Path(info.source_path),
            qualname=info.qualname,
            fixtures=info.fixtures,
            params=dict(info.params),
            lines={path: lines_of(arcs) for path, arcs in trace.get(nodeid, {}).items()},
            arcs=trace.get(nodeid, {}),
            seconds=seconds.get(nodeid, 0.0),
        )
        for nodeid, info in items.items()
        if nodeid != OUTSIDE
    ]
    near = {test.nodeid: _nearness(test, gaps, spans) for test in tests}
    return sorted(tests, key=lambda test: (near[test.nodeid], test.seconds > 1, test.nodeid))


def _nearness(
    test: KnownTest, gaps: Sequence[Gap], spans: Mapping[tuple[str, str], range]
) -> tuple[int, int]:
    """Return a sort key: the best level over all gaps, and minus the lines run there."""
    best = (3, 0)
    for gap in gaps:
        lines = test.lines.get(gap.path, frozenset())
        if not lines:
            continue
        owner = gap.symbol.rpartition(".")[0]
        for level, name in enumerate((gap.symbol, owner)):
            ran = len(lines & frozenset(spans.get((gap.path, name), range(0))))
            if ran:
                best = min(best, (level, -ran))
                break
        else:
            best = min(best, (2, -len(lines)))
    return best
