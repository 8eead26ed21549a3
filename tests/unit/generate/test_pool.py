from __future__ import annotations

from dataclasses import replace

from pytest_aipipe.generate.model import Candidate, Gap, Outcome
from pytest_aipipe.generate.pool import PER_PATH, Pool

GAP = Gap("shop.py", "shop", "grade", frozenset({2}), frozenset())
ADDED = {"shop.py": frozenset({2, 3, 4})}


def candidate(body: str, **changes: str) -> Candidate:
    made = Candidate("literal", "test_it", f"def test_it():\n    {body}\n")
    return replace(made, **changes)  # type: ignore[arg-type]


def ran(*lines: int, status: str = "passed", at: int = 0) -> Outcome:
    where = ("shop.py", at) if at else None
    raised = "TypeError: no" if status == "raised" else None
    return Outcome(status, {"shop.py": frozenset(lines)}, raised=raised, raised_at=where)


def make_pool() -> Pool:
    return Pool(ADDED, lambda _, line: line == 3)


def bodies(pool: Pool, *lines: int, limit: int = 9) -> list[str]:
    found = pool.through({"shop.py": frozenset(lines)}, limit)
    return [one.candidate.function.splitlines()[-1].strip() for one in found]


def test_of_every_path_one_candidate_comes_before_a_second() -> None:
    pool = make_pool()
    for body, lines in (("a()", (2,)), ("b()", (2,)), ("c()", (2, 4)), ("d()", (4,))):
        assert pool.offer(candidate(body), ran(*lines), GAP, "local")

    assert bodies(pool, 2) == ["a()", "c()", "b()"]
    assert bodies(pool, 4, limit=1) == ["c()"]


def test_a_candidate_that_was_taken_is_not_offered_again() -> None:
    pool = make_pool()
    pool.offer(candidate("a()"), ran(2), GAP, "local")
    (spare,) = pool.through({"shop.py": frozenset({2})}, 9)

    pool.take(spare)

    assert bodies(pool, 2) == []
    assert not pool.offer(candidate("a()"), ran(2), GAP, "local")


def test_what_ran_no_changed_line_or_came_to_no_end_is_not_kept() -> None:
    pool = make_pool()

    assert not pool.offer(candidate("a()"), ran(9), GAP, "local")
    assert not pool.offer(candidate("b()"), ran(2, status="timeout"), GAP, "local")


def test_an_error_is_material_only_where_the_code_raises_it_on_purpose() -> None:
    pool = make_pool()

    assert pool.offer(candidate("a()"), ran(2, 3, status="raised", at=3), GAP, "local")
    assert not pool.offer(candidate("b()"), ran(2, status="raised", at=2), GAP, "local")


def test_a_test_of_the_project_as_it_stands_is_no_material_and_an_edited_one_is() -> None:
    pool = make_pool()
    clone = candidate("a()", technique="amplify", origin="test_shop.py::test_a")

    assert not pool.offer(clone, ran(2), GAP, "local")
    assert pool.offer(replace(clone, note="1"), ran(2), GAP, "local")


def test_only_some_candidates_are_kept_for_one_path() -> None:
    pool = make_pool()
    for number in range(PER_PATH + 5):
        pool.offer(candidate(f"f({number})"), ran(2), GAP, "local")

    assert len(bodies(pool, 2, limit=99)) == PER_PATH


def test_half_of_what_is_returned_is_what_was_made_for_a_fault() -> None:
    pool = make_pool()
    for number in range(3):
        pool.offer(candidate(f"plain({number})"), ran(2), GAP, "local")
        pool.offer(candidate(f"edge({number})"), ran(2), GAP, "local", aimed=True)

    assert bodies(pool, 2, limit=4) == ["edge(0)", "edge(1)", "plain(0)", "plain(1)"]
    assert bodies(pool, 2, limit=5) == ["edge(0)", "edge(1)", "plain(0)", "plain(1)", "plain(2)"]


def test_what_showed_something_new_comes_first_and_what_showed_nothing_new_last() -> None:
    pool = make_pool()
    for body, told in (("a()", "r == 1"), ("b()", "r == 1"), ("c()", None), ("d()", "r == 2")):
        pool.offer(candidate(body), ran(2), GAP, "local", told=told)

    assert bodies(pool, 2) == ["a()", "d()", "c()", "b()"]
