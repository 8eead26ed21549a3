"""What hangs on the hash seed or the time zone is not asserted; the rest of the test is kept."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.repair import without_messages
from pytest_aipipe.assertions.settle import Goal, Settled, settle
from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.generate.model import Candidate
from pytest_aipipe.generate.run import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pytest_aipipe.generate.model import Gap, Outcome, Scene
    from pytest_aipipe.generate.request import Request

SOURCE = """\
import time


def tags(text):
    found = set(text.split())
    return {"count": len(found), "shown": " ".join(found)}


def only(text):
    found = set(text.split())
    if len(found) > 1:
        raise ValueError("one of " + " ".join(found))
    return found


def opened(at):
    hour = time.localtime(at).tm_hour
    return {"at": at, "hour": hour}
"""
WORDS = "red green blue black white pink grey brown"


def settled(request: Request, body: str, lines: set[int]) -> str:
    candidate = Candidate("written", "test_it", f"def test_it():\n    {body}\n", ("import shop",))
    goal = Goal({"shop.py": frozenset(lines)}, {"shop.py": frozenset()})
    other = Explorer(request, hash_seed="12345", zone="Asia/Kathmandu")
    with Explorer(request) as explorer, other:
        found = settle(candidate, goal, explorer, lambda _, n: n == 12, elsewhere=other)
    assert isinstance(found, Settled), found
    return found.candidate.function


def test_a_value_that_is_another_one_under_another_hash_seed_is_left_out(
    make_request: Callable[..., Request],
) -> None:
    source = settled(make_request(SOURCE), f"shop.tags({WORDS!r})", {5, 6})
    assert 'assert result["count"] == 8' in source
    assert 'result["shown"] ==' not in source


def test_a_value_that_is_another_one_in_another_time_zone_is_left_out(
    make_request: Callable[..., Request],
) -> None:
    request = replace(make_request(SOURCE), environ={"PATH": os.defpath, "TZ": "UTC"})
    source = settled(request, "shop.opened(86400)", {16, 17})
    assert 'assert result["at"] == 86400' in source
    assert 'result["hour"]' not in source


def test_of_an_error_whose_message_differs_the_kind_is_expected(
    make_request: Callable[..., Request],
) -> None:
    source = settled(make_request(SOURCE), f"shop.only({WORDS!r})", {11, 12})
    assert "with pytest.raises(ValueError):" in source


class Written:
    name = "written"

    def propose(
        self, gap: Gap, scene: Scene
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        del gap, scene
        body = f"def test_shop():\n    shop.only({WORDS!r})\n"
        yield [Candidate("literal", "test_shop", body, ("import shop",))]


class Silent:
    def step(self, text: str, *, done: int, total: int, left: float) -> None: ...


def test_the_gate_admits_what_holds_under_both_seeds(make_request: Callable[..., Request]) -> None:
    result = generate(make_request(SOURCE, budget=30.0), Silent(), engines=[Written()])
    (test,) = result.admitted
    assert {11, 12} <= test.lines
    assert "with pytest.raises(ValueError)" in "".join(result.files.values())


def test_messages_go_and_all_else_stays() -> None:
    source = (
        "def test_it():\n    with pytest.raises(ValueError, match='ä(') as caught:\n"
        "        shop.only(match='x')\n    with shop.lock(match=1):\n        pass\n"
    )
    candidate = without_messages(Candidate("written", "test_it", source))
    assert candidate.function == source.replace(", match='ä('", "")
