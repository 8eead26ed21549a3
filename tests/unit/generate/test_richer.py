"""What people's tests pass takes the place of a small input."""

from __future__ import annotations

from pytest_aipipe.generate.model import Candidate
from pytest_aipipe.generate.richer import A_PLACE, LONGEST, MOST, Passed, richer

TESTS = """
class TestUrl:
    def test_remove(self):
        url = ("http://user:pass@host:80"
               "/path?a=1")
        assert Url(url).remove(host=True).text == "http:///path?a=1"

    def test_port(self):
        assert Url("//host:80").port == 80
        assert Url(None).port is None
        assert Url(made_up).port is None


async def test_join():
    assert (await join(["a", "b"], sep="-")) == "a-b"
"""


def variants(body: str, tests: str = TESTS) -> list[str]:
    candidate = Candidate("amplify", "test_it", f"def test_it():\n    {body}\n")
    found = richer(candidate, Passed([tests, "def broken("]))
    assert {one.technique for one in found} <= {"richer"}
    return [one.function.removeprefix("def test_it():\n    ").rstrip("\n") for one in found]


def test_a_literal_is_exchanged_for_those_of_the_same_place_the_longest_of_its_kind_first() -> None:
    assert variants("result = Url('').remove(host=True)") == [
        "result = Url('http://user:pass@host:80/path?a=1').remove(host=True)",
        "result = Url('//host:80').remove(host=True)",
        "result = Url(None).remove(host=True)",
    ]


def test_a_name_of_the_test_stands_for_the_literal_that_it_was_given() -> None:
    assert variants("url = ''\n    result = Url(url)")[0] == (
        "url = 'http://user:pass@host:80/path?a=1'\n    result = Url(url)"
    )


def test_positions_and_keywords_are_different_places() -> None:
    assert variants("result = join([], sep='')") == [
        "result = join(['a', 'b'], sep='')",
        "result = join([], sep='-')",
    ]
    assert variants("result = join(sep=[])") == ["result = join(sep='-')"]
    assert variants("result = Path('')") == []


def test_how_long_something_waits_stays_as_it_is() -> None:
    tests = "def test_f():\n    time.sleep(5)\n    f(3, timeout=9)\n    done.wait(4.5)\n"
    body = "time.sleep(0.1)\n    done.wait(0.2)\n    result = f(1, timeout=0.3)"
    assert variants(body, tests) == [body.replace("f(1,", "f(3,")]


def test_the_places_of_a_test_take_turns_and_there_are_bounds() -> None:
    tests = "def test_f():\n" + "".join(
        f"    f({number}, '{'x' * number}', {number}.5, [{number}], {{{number}}})\n"
        for number in range(1, LONGEST + 20)
    )
    found = variants("result = f(0, '', 0.5, [], {0})", tests)
    assert len(found) == MOST
    assert ["f(0, " in one for one in found[:5]] == [False, True, True, True, True]
    assert len([one for one in found if "''" not in one]) <= A_PLACE
    assert not any("x" * (LONGEST - 1) in one for one in found)


def test_a_call_that_passes_nothing_gets_what_the_tests_pass_it_first() -> None:
    assert variants("url = Url()\n    result = url.remove()") == [
        "url = Url('http://user:pass@host:80/path?a=1')\n    result = url.remove()",
        "url = Url('//host:80')\n    result = url.remove()",
        "url = Url(None)\n    result = url.remove()",
    ]
    assert variants("result = Url(other)\n    box.clear()") == []


def test_a_call_that_waits_for_good_is_not_given_a_time() -> None:
    assert variants("done.wait()", "def test_f():\n    done.wait(4.5)\n") == []
