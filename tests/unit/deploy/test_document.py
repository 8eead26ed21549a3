"""``deploy.json``: the release as it went, and what the watch saw, however long it lasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_core.documents import validate
from aipipe_core.errors import AipipeError
from aipipe_deploy.config import Watch, parse_deploy
from aipipe_deploy.journal import Release, State
from aipipe_deploy.journal.model import Entry
from aipipe_deploy.judge import Arm
from aipipe_deploy.release.document import UNCHANGED, document
from aipipe_deploy.release.moves import Move
from aipipe_deploy.release.project import Wish, with_wish
from aipipe_deploy.release.runner import Ending
from aipipe_deploy.release.samples import MOST, Samples

if TYPE_CHECKING:
    from typing import Any

BEGAN = 1_000_000.0
RELEASE = Release(7, "canary", "high risk", State.DONE, BEGAN, BEGAN + 61.5, 6, "done",
                  details={"risk": "high", "head": "abc"})  # fmt: skip
ENDING = Ending(7, State.DONE, "release 7 serves")
WATCH = Move("watch", {"seconds": 60.0, "services": {}})


def told(samples: Samples) -> dict[str, Any]:
    entries = [
        Entry(0, back=False, move=Move("prepare"), state="done", at=BEGAN + 0.5),
        Entry(1, back=False, move=WATCH, state="done", note="pass", at=BEGAN + 61.0),
        Entry(2, back=False, move=Move("sweep", {"keep": []}), state="planned"),
    ]
    return document(RELEASE, entries, samples, ENDING)


def test_a_release_tells_its_moves_by_seconds_since_it_began() -> None:
    found = told(Samples())
    validate("deploy", found)
    assert found["seconds"] == 61.5
    assert [(move["kind"], move["at"]) for move in found["moves"]] == [
        ("prepare", 0.5),
        ("watch", 61.0),
        ("sweep", None),
    ]


def test_ticks_of_a_second_are_summed_for_both_versions() -> None:
    samples = Samples()
    samples.begin("web", BEGAN + 1)
    for quarter in range(1, 9):
        samples.add("web", BEGAN + 1 + quarter / 4, Arm(10, 1), Arm(2, 0))
    found = told(samples)
    validate("deploy", found)
    assert [(row["t"], row["old"], row["new"]) for row in found["metrics"]] == [
        (2.0, {"requests": 40, "bad": 4}, {"requests": 8, "bad": 0}),
        (3.0, {"requests": 40, "bad": 4}, {"requests": 8, "bad": 0}),
    ]


def test_a_long_watch_loses_detail_and_no_request() -> None:
    samples = Samples()
    samples.begin("web", BEGAN)
    for second in range(1, 5001):
        samples.add("web", BEGAN + second, Arm(3, 1), Arm(1, 0))
    rows = told(samples)["metrics"]
    assert len(rows) <= MOST
    assert sum(row["old"]["requests"] for row in rows) == 15_000
    assert sum(row["seconds"] for row in rows) == pytest.approx(5000, abs=1)


def test_the_time_between_two_watches_belongs_to_none_of_them() -> None:
    samples = Samples()
    for start in (BEGAN, BEGAN + 100):
        samples.begin("web", start)
        samples.add("web", start + 1, Arm(1), Arm(1))
    assert [(row["t"], row["seconds"]) for row in told(samples)["metrics"]] == [(1, 1), (101, 1)]


def test_nothing_to_release_is_a_document_of_its_own_and_half_a_release_is_none() -> None:
    validate("deploy", UNCHANGED)
    with pytest.raises(AipipeError, match="deploy document"):
        validate("deploy", {"schema": 1, "state": "done"})


@pytest.mark.parametrize(
    ("configured", "wish", "windows"),
    [
        ({}, Wish(), (600, 1800)),
        ({}, Wish(routed=90.0), (90, 90)),
        ({"seconds": 30}, Wish(routed=90.0), (30, 90)),
        ({"seconds": 30, "high_risk_seconds": 40}, Wish(routed=90.0), (30, 40)),
        ({"seconds": 30}, Wish(routed=90.0, watch=5.0), (5, 5)),
    ],
)
def test_the_window_is_what_was_asked_for_else_configured_else_the_routes(
    configured: dict[str, float], wish: Wish, windows: tuple[float, float]
) -> None:
    table = {"services": {"web": {"image": "w"}}, "watch": configured}
    watch: Watch = with_wish(parse_deploy(table, where="x"), wish).watch
    assert (watch.seconds, watch.high_risk_seconds) == windows
