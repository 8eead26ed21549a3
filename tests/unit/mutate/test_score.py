from __future__ import annotations

from pytest_aipipe.mutate.model import Mutant, MutantResult, MutationScore, Verdict


def result(verdict: Verdict, *, covering: str = "", killers: str = "") -> MutantResult:
    mutant = Mutant(1, "constant", "1", "2", "x = 2\n", 1, 1)
    return MutantResult("/m.py", mutant, verdict, tuple(covering.split()), tuple(killers.split()))


def test_timeouts_and_crashes_kill_and_what_was_not_tried_does_not_count() -> None:
    score = MutationScore(tuple(result(verdict) for verdict in Verdict))
    assert (score.killed, score.total) == (3, 4)
    assert score.ratio == 0.75
    assert [r.verdict for r in score.survivors] == [Verdict.SURVIVED]


def test_a_score_of_nothing_is_full() -> None:
    assert MutationScore().ratio == 1.0


def test_each_test_has_its_own_count() -> None:
    score = MutationScore(
        (
            result(Verdict.KILLED, covering="a b", killers="a"),
            result(Verdict.SURVIVED, covering="a b"),
            result(Verdict.UNJUDGED, covering="a b"),
        )
    )
    assert score.of_test("a") == (2, 1)
    assert score.of_test("b") == (2, 0)
    assert score.of_test("c") == (0, 0)
