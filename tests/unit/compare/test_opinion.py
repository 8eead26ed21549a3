from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.change.model import Hunk
from aipipe_core.llm import Answer, ModelError
from pytest_aipipe.compare.model import Announced, BehaviorChange, Kind
from pytest_aipipe.compare.opinion import MOST, with_opinions

if TYPE_CHECKING:
    from aipipe_core.llm import Ask

MESSAGE = "Reject negative widths early"


def change(announced: Announced = Announced.UNSURE) -> BehaviorChange:
    return BehaviorChange(
        "shapes.area", "shapes.py", Kind.ERROR, "area(-1)", "1", "ValueError: no", "t.py", "t", "",
        Hunk(1, 1, ("    return w",), ("    raise ValueError",)), announced, "unsure so far",
    )  # fmt: skip


class Model:
    def __init__(self, **data: str) -> None:
        self.data = {"reason": "it says so", "evidence": "negative widths", **data}
        self.asked: list[Ask] = []

    def ask(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        return Answer("", self.data)


def judged(model: Any, *changes: BehaviorChange, seconds: float = 60) -> list[BehaviorChange]:
    return with_opinions(changes, MESSAGE, model.ask, seconds=seconds)


@pytest.mark.parametrize(
    ("verdict", "announced"),
    [("intended", Announced.INTENDED), ("regression", Announced.UNANNOUNCED)],
)
def test_a_verdict_of_the_model_is_marked_as_such(verdict: str, announced: Announced) -> None:
    (found,) = judged(Model(verdict=verdict), change())
    assert (found.announced, found.by_model) == (announced, True)
    assert "it says so" in found.reason
    assert "negative widths" in found.reason


def test_the_question_holds_both_sides_the_message_and_the_hunk_as_untrusted_text() -> None:
    model = Model(verdict="unclear")
    assert judged(model, change()) == [change()]
    text = model.asked[0].messages[1].text
    assert '<untrusted about="diff">\n-    return w\n+    raise ValueError\n</untrusted>' in text
    assert MESSAGE in text
    assert "ValueError: no" in text


@pytest.mark.parametrize("evidence", ["", "as agreed", "approved by all"])
def test_a_quote_that_nobody_wrote_decides_nothing(evidence: str) -> None:
    assert judged(Model(verdict="intended", evidence=evidence), change()) == [change()]


def test_only_what_is_unsure_is_asked_and_not_for_ever() -> None:
    model = Model(verdict="unclear")
    judged(model, change(Announced.INTENDED), change(Announced.UNANNOUNCED))
    assert model.asked == []
    judged(model, *[change()] * (MOST + 3))
    assert len(model.asked) == MOST
    judged(model, change(), seconds=0)
    assert len(model.asked) == MOST


def test_a_model_that_does_not_answer_is_asked_once() -> None:
    asked = []

    class Silent:
        def ask(self, ask: Ask) -> Answer:
            asked.append(ask)
            raise ModelError("model-down", "no answer")

    assert judged(Silent(), change(), change()) == [change(), change()]
    assert len(asked) == 1
