from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.model import Brood, Candidate, Gap, Outcome, Scene
from pytest_aipipe.generate.proposals import proposals, weak_spots

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

GAP = Gap("shop.py", "shop", "grade", frozenset({2}), frozenset())
SOURCE = (
    "def one():\n    return 1\n\n\nclass Box:\n    def two(self):\n        return 2\n\n\nX = 3\n"
)


class Endless:
    """Goes on for as long as it hears that line 2 did not run."""

    name = "endless"

    def __init__(self) -> None:
        self.heard: list[frozenset[int]] = []

    def propose(
        self, gap: Gap, scene: Scene
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        del gap, scene
        for number in range(99):
            made = [Candidate("t", f"test_{number}_{n}", "") for n in range(2)]
            outcomes = yield made
            self.heard += [one.lines["shop.py"] for one in outcomes]
            if any(2 in one.lines["shop.py"] for one in outcomes):
                return


def run(batch: Sequence[Candidate]) -> list[Trialed]:
    return [Trialed(Outcome("passed", {"shop.py": frozenset({1, 2})})) for _ in batch]


def test_an_engine_goes_on_because_it_hears_that_the_line_did_not_run() -> None:
    engine = Endless()
    found = proposals(GAP, engine, lambda _: None, run)  # type: ignore[arg-type]

    seen = list(islice(found, 7))

    assert [one.name for one, _ in seen][-1] == "test_3_0"
    assert all(trial.outcome.lines["shop.py"] == {1, 2} for _, trial in seen)
    assert set(engine.heard) == {frozenset({1})}


def test_a_brood_does_not_run_and_counts_as_skipped() -> None:
    heard: list[str] = []

    class Breeder:
        name = "breeder"

        def propose(
            self, gap: Gap, scene: Scene
        ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
            del gap, scene
            outcomes = yield [Brood("breed", "test_bred", ""), Candidate("t", "test_plain", "")]
            heard.extend(one.status for one in outcomes)

    found = list(proposals(GAP, Breeder(), lambda _: None, run))  # type: ignore[arg-type]

    assert [one.name for one, _ in found] == ["test_plain"]
    assert heard == ["skipped", "passed"]


def test_weak_lines_are_grouped_by_symbol() -> None:
    lines = {"shop.py": frozenset({2, 7, 10})}

    arcs = {"shop.py": frozenset({(2, 3), (1, 2)})}

    found = weak_spots(lines, arcs, {"shop.py": SOURCE}, {"shop.py": "shop"})

    assert [(one.symbol, sorted(one.lines)) for one in found] == [
        ("one", [2]),
        ("Box.two", [7]),
        ("<module>", [10]),
    ]
    assert [one.branches for one in found] == [{(2, 3)}, set(), set()]
