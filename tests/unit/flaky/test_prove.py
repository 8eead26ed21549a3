"""A mend holds when nothing that turned the verdict turns it any more."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_aipipe.flaky.causes import Cause
from pytest_aipipe.flaky.finding import Finding, Pollution
from pytest_aipipe.flaky.mend.prove import Proof, needed
from pytest_aipipe.flaky.sweeps import Setting
from pytest_aipipe.flaky.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lab:
    """A laboratory in which ``bad`` says of each order, by its number, whether its last fails."""

    def __init__(self, bad: Any) -> None:
        self.bad, self.orders = bad, list[list[str]]()

    @contextmanager
    def start(self, *_: object) -> Iterator[Lab]:
        yield self

    def run(self, order: list[str], **_: object) -> Outcome:
        self.orders.append(order)
        others = [Verdict(name, "passed") for name in order[:-1]]
        bad = self.bad(order, len(self.orders))
        return Outcome((*others, Verdict(order[-1], "failed" if bad else "passed")))

    def alone(self, nodeid: str, **_: object) -> Verdict:
        return self.run([nodeid]).verdicts[0]


def proof(finding: Finding, bad: Any, refused: dict[str, int] | None = None) -> tuple[Proof, Lab]:
    lab: Any = Lab(bad)
    return Proof(finding, lab, refused), lab


def test_a_second_polluter_refuses_the_mend_of_the_first() -> None:
    pollution = Pollution("a::v", ("a::p",), among=("a::p", "a::q"))
    finding = Finding("a::v", Cause.ORDER, pollution=pollution)
    made, lab = proof(finding, lambda order, _: "a::q" in order)
    assert not made.holds()
    assert made.why == "failed in run 1 among all that ran before it"
    assert lab.orders[-1] == ["a::p", "a::q", "a::v"]
    assert proof(finding, lambda *_: False)[0].holds()


def test_the_longest_order_is_not_run_again_where_it_is_the_shortest() -> None:
    pollution = Pollution("a::v", ("a::p",), among=("a::p",))
    made, lab = proof(Finding("a::v", Cause.ORDER, pollution=pollution), lambda *_: False)
    assert made.holds()
    assert lab.orders.count(["a::p", "a::v"]) == needed(3, 3)


def test_after_a_mend_that_failed_late_the_next_has_to_hold_longer() -> None:
    finding = Finding("a::v", Cause.CONCURRENCY, provoked=(6, 6))
    finding.settings = [Setting(Cause.CONCURRENCY, "late", knobs={"delay": "x"}, schedule=True)]
    refused: dict[str, int] = {}
    alone = 2
    made, _ = proof(finding, lambda _, number: number == alone + 4, refused)
    assert not made.holds()
    assert refused == {"late": 4}
    made, _ = proof(finding, lambda *_: False, refused)
    assert made.holds()
    assert made.runs > needed(1, 4) > needed(6, 6)
