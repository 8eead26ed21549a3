from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.assertions.repair import prelude_height
from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.generate.model import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_aipipe.generate.request import Request

SOURCE = """\
import os
import threading


def price(count, kind="plain"):
    if count < 0:
        raise ValueError(f"count must not be negative: {count}")
    if kind == "gift" and count > 10:
        return count * 3
    return count * 2


def leave():
    os._exit(3)


def forever():
    while True:
        pass


def in_thread(value):
    found = []
    thread = threading.Thread(target=lambda: found.append(price(value)))
    thread.start()
    thread.join()
    return found
"""


def candidate(body: str, *, name: str = "test_it", args: str = "", **more: object) -> Candidate:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return Candidate(
        technique="written",
        name=name,
        function=f"def {name}({args}):\n{lines}\n",
        prelude=("import shop",),
        **more,  # type: ignore[arg-type]
    )


def test_a_batch_is_answered_in_its_order_whatever_each_candidate_does(
    make_request: Callable[..., Request],
) -> None:
    batch = [
        candidate("assert shop.price(2) == 4"),
        candidate("shop.price(-1)"),
        candidate("shop.leave()"),
        candidate("shop.forever()"),
        candidate("assert shop.price(11, 'gift') == 1"),
        candidate("import nothing_like_it"),
        candidate("pass", args="no_such_fixture"),
        candidate("import pytest; pytest.skip('not here')"),
        candidate("this is no python"),
    ]
    with Explorer(make_request(SOURCE), timeout=1.0) as explorer:
        statuses = [one.status for one in explorer.run(batch)]

    assert statuses == [
        "passed",
        "raised",
        "crashed",
        "timeout",
        "failed",
        "raised",
        "error",
        "skipped",
        "error",
    ]


def test_lines_and_branches_of_the_changed_file_are_told(
    make_request: Callable[..., Request],
) -> None:
    with Explorer(make_request(SOURCE)) as explorer:
        (outcome,) = explorer.run([candidate("shop.price(11, 'gift')")])

    assert {6, 8, 9} <= outcome.lines["shop.py"]
    assert 10 not in outcome.lines["shop.py"]
    assert {(6, 8), (8, 9)} <= outcome.arcs["shop.py"]


HOOKED = """\
NAMES = {"colour": "red"}


def __getattr__(name):
    if name in NAMES:
        return NAMES[name]
    raise AttributeError(name)
"""


def test_what_collecting_a_test_asks_of_a_module_is_not_reached_by_it(
    make_request: Callable[..., Request],
) -> None:
    asked = [candidate("shop.colour"), candidate("hasattr(shop, 'size')")]
    with Explorer(make_request(HOOKED)) as explorer:
        found, missed = (one.lines["shop.py"] for one in explorer.run(asked))

    assert 6 in found
    assert 7 not in found
    assert 7 in missed


def test_threads_of_a_candidate_are_measured_too(make_request: Callable[..., Request]) -> None:
    with Explorer(make_request(SOURCE)) as explorer:
        (outcome,) = explorer.run([candidate("shop.in_thread(3)")])

    assert (8, 10) in outcome.arcs["shop.py"]


def test_operands_at_the_guards_are_told(make_request: Callable[..., Request]) -> None:
    with Explorer(make_request(SOURCE)) as explorer:
        (outcome,) = explorer.run([candidate("shop.price(3, 'gift')")])

    seen = [(c.line, c.op, c.left, c.right, c.taken) for c in outcome.comparisons]
    assert seen == [
        (6, "<", "3", "0", False),
        (8, "==", '"gift"', '"gift"', True),
        (8, ">", "3", "10", False),
    ]


def test_values_at_the_end_become_facts(make_request: Callable[..., Request]) -> None:
    with Explorer(make_request(SOURCE)) as explorer:
        (trial,) = explorer.try_all([candidate("result = shop.price(3)")], look=True)

    assert [fact.code for fact in trial.facts["result"]] == ["assert result == 6"]


def test_what_only_the_looking_ran_does_not_count_as_reached(
    make_request: Callable[..., Request],
) -> None:
    source = (
        "class Box:\n    @property\n    def size(self):\n        return 3\n\n"
        "    @property\n    def weight(self):\n        return 4\n"
    )
    with Explorer(make_request(source)) as explorer:
        (trial,) = explorer.try_all([candidate("box = shop.Box()\nresult = box.size")], look=True)

    assert "assert box.weight == 4" in [fact.code for fact in trial.facts["box"]]
    assert 4 in trial.outcome.lines["shop.py"]
    assert 8 not in trial.outcome.lines["shop.py"]


def test_a_private_attribute_that_a_private_method_changed_is_told(
    make_request: Callable[..., Request],
) -> None:
    source = (
        "class Lexer:\n    def __init__(self):\n        self._mode = 'text'\n\n"
        "    def quote(self):\n        self._switch()\n\n"
        "    def _switch(self):\n        self._mode = 'quoted'\n"
    )
    with Explorer(make_request(source)) as explorer:
        inside, outside = explorer.try_all(
            [candidate(f"lexer = shop.Lexer()\nlexer.{call}()") for call in ("_switch", "quote")],
            look=True,
        )

    assert 'assert lexer._mode == "quoted"' in [fact.code for fact in inside.facts["lexer"]]
    assert not any("_mode" in fact.code for fact in outside.facts.get("lexer", ()))


def test_an_assert_that_does_not_hold_tells_what_its_left_side_was_worth(
    make_request: Callable[..., Request],
) -> None:
    with Explorer(make_request(SOURCE)) as explorer:
        (trial,) = explorer.try_all([candidate("assert shop.price(3) == 7")], look=True)

    (check,) = trial.checks
    assert (check.line, check.held, check.operator) == (5, False, "==")
    assert [fact.code for fact in check.facts] == ["assert shop.price(3) == 6"]


def test_an_error_is_told_with_its_place(make_request: Callable[..., Request]) -> None:
    with Explorer(make_request(SOURCE)) as explorer:
        (trial,) = explorer.try_all([candidate("number = -1\nshop.price(number)")])

    assert trial.raised is not None
    assert trial.raised.line == 6
    assert trial.raised.at == ("shop.py", 7)
    assert trial.outcome.raised == "ValueError: count must not be negative: -1"


def test_the_place_of_an_error_is_in_the_test_and_not_in_its_decorator(
    make_request: Callable[..., Request],
) -> None:
    made = Candidate(
        technique="written",
        name="test_it",
        function="@run\nasync def test_it():\n    number = -1\n    shop.price(number)\n",
        prelude=(
            "import asyncio",
            "import shop",
            "def run(test):\n    def runs():\n        return asyncio.run(test())\n    return runs",
        ),
    )
    with Explorer(make_request(SOURCE)) as explorer:
        (trial,) = explorer.try_all([made])

    assert trial.raised is not None
    assert trial.raised.line is not None
    assert trial.raised.line - prelude_height(made) == 4


def test_fixtures_of_a_conftest_above_the_target_are_there(
    make_request: Callable[..., Request],
) -> None:
    conftest = "import pytest\n\n@pytest.fixture\ndef basket():\n    return [1, 2]\n"
    request = make_request(SOURCE, "def test_known():\n    pass\n", conftest=conftest)
    with Explorer(request) as explorer:
        (outcome,) = explorer.run([candidate("assert basket == [1, 2]", args="basket")])
        assert "basket" in explorer.ready.fixtures

    assert (outcome.status, outcome.detail) == ("passed", "")


@pytest.mark.parametrize("with_tests", [True, False])
def test_a_parametrized_unittest_or_fixture_candidate_is_collected_by_pytest(
    make_request: Callable[..., Request], *, with_tests: bool
) -> None:
    request = make_request(SOURCE, "def test_known():\n    pass\n" if with_tests else "")
    decorated = Candidate(
        technique="written",
        name="test_two",
        function="@pytest.mark.parametrize('n', [1, 2])\ndef test_two(n, tmp_path, capsys):\n"
        "    print(tmp_path.exists())\n    assert capsys.readouterr().out == 'True\\n'\n"
        "    assert shop.price(n) == 2 * n\n",
        prelude=("import pytest", "import shop"),
    )
    classed = Candidate(
        technique="written",
        name="TestPrice",
        function="class TestPrice(unittest.TestCase):\n    def test_it(self):\n"
        "        self.assertEqual(shop.price(1), 2)\n",
        prelude=("import unittest", "import shop"),
    )
    with Explorer(request) as explorer:
        trials = explorer.try_all([decorated, classed])

    assert [(one.outcome.status, one.tests) for one in trials] == [("passed", 2), ("passed", 1)]


@pytest.mark.parametrize("bare", [True, False])
def test_fixtures_of_a_conftest_are_there_in_every_folder_below_it(
    make_request: Callable[..., Request], bare: bool
) -> None:
    conftest = "import pytest\n\n\n@pytest.fixture\ndef size():\n    return 3\n"
    known = "def test_known(size):\n    assert size == 3\n"
    request = make_request(SOURCE, known, conftest=conftest)
    text = "def test_size(size):\n    assert size == 3\n"
    folders = [request.target, request.target.with_name("other")]

    with Explorer(request, bare=bare, guards=not bare, preimport=not bare) as explorer:
        trials = explorer.try_plain([(one / "test_size.py", text, "") for one in folders])

    assert [one.outcome.status for one in trials] == ["passed", "passed"]
