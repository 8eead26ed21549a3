from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.generate.model import Brood, Candidate, Material

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_aipipe.generate.request import Request

    MakeRequest = Callable[..., Request]

SOURCE = """\
def read(text):
    seen = {}
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            if name in seen:
                raise ValueError("twice: " + name)
            seen[name] = []
        elif "=" in line:
            key, _, value = line.partition("=")
            if value == "forty-two":
                return "answer"
    return seen
"""
TEST = """\
from shop import read


def test_known():
    text = "[one]\\nkey=1\\n"
    assert read(text) == {"one": []}
"""


def brood(**given: object) -> Brood:
    function = "def test_known():\n    text = '[one]\\nkey=1\\n'\n    assert read(text)\n"
    defaults: dict[str, object] = {
        "technique": "breed",
        "name": "test_known",
        "function": function,
        "prelude": ("from shop import read",),
        "material": Material(texts=("[one]\nkey=1\n", "[two]\n")),
        "chains": ((("shop.py", 7, 0), (2, 3, 4, 6, 7)), (("shop.py", 12, 0), (2, 3, 4, 9, 11))),
        "rounds": 2000,
        "seconds": 20.0,
    }
    return Brood(**{**defaults, **given})  # type: ignore[arg-type]


def test_a_brood_finds_documents_that_take_a_way_nobody_took(make_request: MakeRequest) -> None:
    with Explorer(make_request(SOURCE, TEST)) as explorer:
        (outcome,) = explorer.run([brood()])
        assert outcome.status == "skipped", outcome.detail
        tried = explorer.run(
            [Candidate("breed", "test_known", one, ("from shop import read",))
             for one in outcome.found]
        )  # fmt: skip
    reached = {line for one in tried for line in one.lines["shop.py"]}
    assert {7, 12} <= reached


def test_what_a_brood_finds_is_small(make_request: MakeRequest) -> None:
    long = "[one]\nkey=1\n\n# a line\n[three]\nother=2\n" * 3
    function = f"def test_known():\n    unused = 'x'\n    text = {long!r}\n    assert read(text)\n"
    with Explorer(make_request(SOURCE, TEST)) as explorer:
        (outcome,) = explorer.run([brood(function=function)])
    assert any(len(one) < len(long) and "unused" not in one for one in outcome.found)


def test_the_same_seed_finds_the_same(make_request: MakeRequest) -> None:
    with Explorer(make_request(SOURCE, TEST)) as explorer:
        once, again = explorer.run([brood(rounds=300), brood(rounds=300)])
    assert once.found == again.found


def test_a_variation_that_hangs_is_left_and_the_others_go_on(make_request: MakeRequest) -> None:
    source = (
        SOURCE + "\n\ndef wait(count):\n    while count != 1:\n        count += 2\n    return 1\n"
    )
    function = "def test_known():\n    wait(1)\n    text = 'key=1'\n    read(text)\n"
    with Explorer(make_request(source, TEST)) as explorer:
        (outcome,) = explorer.run(
            [brood(function=function, prelude=("from shop import read, wait",), rounds=200)]
        )
    assert outcome.status == "skipped"
    assert "variations" in outcome.detail


def test_the_fixtures_of_a_test_are_there_for_its_variations(make_request: MakeRequest) -> None:
    conftest = "import pytest\n\n@pytest.fixture\ndef text():\n    return '[one]\\n'\n"
    function = "def test_known(text):\n    assert read(text + 'key=1')\n"
    with Explorer(make_request(SOURCE, TEST, conftest=conftest)) as explorer:
        (outcome,) = explorer.run([brood(function=function)])
    assert any("forty-two" in one for one in outcome.found)


def test_a_test_that_cannot_be_varied_finds_nothing(make_request: MakeRequest) -> None:
    with Explorer(make_request(SOURCE, TEST)) as explorer:
        (outcome,) = explorer.run([brood(function="async def test_known():\n    pass\n")])
    assert outcome.found == ()


def test_a_test_of_a_unittest_class_is_varied_between_its_set_up_and_tear_down(
    make_request: MakeRequest,
) -> None:
    function = (
        "class KnownTest(unittest.TestCase):\n"
        "    def setUp(self):\n"
        "        self.text = '[one]\\n'\n\n"
        "    def test_known(self):\n"
        "        self.assertEqual(read(self.text + 'key=1'), {'one': []})\n"
    )
    prelude = ("import unittest", "from shop import read")
    with Explorer(make_request(SOURCE, TEST)) as explorer:
        (outcome,) = explorer.run([brood(function=function, prelude=prelude)])
    assert any("forty-two" in one for one in outcome.found), outcome.found
    assert any("self.text" in one for one in outcome.found), outcome.found


def test_a_brood_goes_on_from_what_an_earlier_one_ended_with(make_request: MakeRequest) -> None:
    other = "def test_known():\n    read('[one]\\n[one]')\n"
    with Explorer(make_request(SOURCE, TEST)) as explorer:
        (outcome,) = explorer.run([brood(others=(other,), rounds=2)])
    assert any("read('[one\\n[one')" in one for one in outcome.found), outcome.found
