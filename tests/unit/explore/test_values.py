from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import io
import pathlib
import re
import sys
import uuid
from collections import Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from typing import Any

import pytest

from pytest_aipipe.explore.fact import is_stable_text
from pytest_aipipe.explore.held import Known, attributes_of
from pytest_aipipe.explore.rebuild import source_of
from pytest_aipipe.explore.values import facts_of

Point = namedtuple("Point", "x y")  # noqa: PYI024 - the untyped kind is met in the wild


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Box:
    width: int
    tags: list[str] = dataclasses.field(default_factory=list)


class Named(str):
    __slots__ = ()


class Opaque:
    def __init__(self) -> None:
        self.size = 3
        self._hidden = 4


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -7,
        1.5,
        float("inf"),
        2 + 3j,
        'it\'s "so"',
        b"\x00a",
        bytearray(b"x"),
        [1, (2,), {"k": {3}}],
        set(),
        frozenset({1}),
        range(1, 9, 2),
        slice(1, None),
        OrderedDict(a=1),
        Counter("aab"),
        defaultdict(list, {1: [2]}),
        deque([1]),
        decimal.Decimal("1.10"),
        fractions.Fraction(1, 3),
        dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
        dt.timedelta(days=1),
        uuid.UUID(int=5),
        pathlib.Path("a/b"),
        re.compile("a+", re.IGNORECASE),
        Colour.RED,
        Box(2, ["a"]),
        Point(1, "y"),
        Box,
    ],
)
def test_the_source_of_a_value_builds_an_equal_one(value: Any) -> None:
    source = source_of(value)

    assert source is not None
    scope: dict[str, Any] = {"Box": Box, "Point": Point, "Colour": Colour}
    for statement in source.imports:
        if __name__ not in statement:
            exec(statement, scope)
    rebuilt = eval(source.code, scope)
    assert rebuilt == value
    assert type(rebuilt) is type(value)


def test_a_value_that_holds_itself_has_no_source() -> None:
    loop: list[Any] = []
    loop.append(loop)

    assert source_of(loop) is None
    assert source_of(object()) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["assert x is None"]),
        (float("nan"), ["assert math.isnan(x)"]),
        (0.1, ["assert x == pytest.approx(0.1)"]),
        (0.25, ["assert x == 0.25"]),
        ([0.1, 2], ["assert x == pytest.approx([0.1, 2])"]),
        (iter([1, 2]), ["assert list(x) == [1, 2]"]),
        (Colour.RED, ["assert x is Colour.RED"]),
        ("/tmp/pytest-of-me/x", []),
    ],
)
def test_facts_are_exact_where_they_can_be(value: Any, expected: list[str]) -> None:
    assert [fact.code for fact in facts_of("x", value)] == expected


def test_an_instance_of_a_subclass_is_told_by_value_and_kind() -> None:
    codes = [fact.code for fact in facts_of("x", Named("a"))]

    assert codes == ['assert x == "a"', "assert isinstance(x, Named)"]


class _Bar:
    """An iterator that gives nothing before it is entered, and shows its state."""

    def __init__(self) -> None:
        self.position = 0

    def __iter__(self) -> _Bar:
        raise RuntimeError("enter first")

    def __next__(self) -> int:
        raise StopIteration


def test_an_iterator_is_told_by_what_it_holds_before_what_it_gives() -> None:
    bar = _Bar()
    made = attributes_of("bar", bar, Known())
    bar.position = 3
    codes = [fact.code for fact in facts_of("bar", bar, Known(made={"bar": made}))]
    assert "assert bar.position == 3" in codes


def test_what_cannot_be_written_whole_is_told_place_by_place() -> None:
    pair = (io.StringIO(), True)
    assert "assert x[1] is True" in [fact.code for fact in facts_of("x", pair)]
    held = {"colour": Colour.RED, "stream": object(), "size": 3}
    assert 'assert x["size"] == 3' in [fact.code for fact in facts_of("x", held)]


class _Document(UserDict[str, object]):
    """A mapping that is no dictionary and holds instances of subclasses."""


class _Word(str):
    __slots__ = ()


def test_a_mapping_of_a_projects_own_is_told_by_the_plain_values_that_it_equals() -> None:
    document = _Document({_Word("a"): [_Word("b"), {"c": _Word("d")}], "e": None})
    facts = [one.code for one in facts_of("document", document)]
    assert facts[0] == 'assert document == {"a": ["b", {"c": "d"}], "e": None}'


def test_a_mapping_that_holds_itself_is_not_told_by_its_values() -> None:
    document = _Document()
    document["self"] = document
    assert not [
        one for one in facts_of("document", document) if "==" in one.code and "{" in one.code
    ]


def test_an_object_is_told_by_its_public_parts_and_never_by_its_address() -> None:
    codes = [fact.code for fact in facts_of("x", Opaque())]

    assert codes == ["assert isinstance(x, Opaque)", "assert x.size == 3"]


@pytest.mark.parametrize(
    "text", ["<a at 0x7f0011223344>", "/tmp/x", "pid=12", "at 2020-01-01 10:00:00"]
)
def test_texts_that_differ_from_run_to_run_are_known(text: str) -> None:
    assert not is_stable_text(text)


def _dates(days: int) -> list[str]:
    """Ways to write the day that lies so many days from today."""
    day = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return [
        f"{day:%Y-%m-%d}",
        f"at {day:%Y-%m-%dT%H:%M}",
        repr(dt.datetime(day.year, day.month, day.day, 10, 30, tzinfo=dt.UTC)),
        repr(dt.date(day.year, day.month, day.day)),
        f"{day:%a, %d %b %Y}",
        f"{day:%B} {day.day}, {day.year}",
        f"{int(day.timestamp())}",
        f"{int(day.timestamp())}000",
    ]


@pytest.mark.parametrize("days", [-30, 0, 1, 365])
def test_a_date_near_today_is_likely_to_be_another_one_tomorrow(days: int) -> None:
    assert [one for one in _dates(days) if is_stable_text(one)] == []


@pytest.mark.parametrize("days", [-3000, -50, 500])
def test_a_date_far_from_today_is_one_that_somebody_wrote_down(days: int) -> None:
    assert [one for one in _dates(days) if not is_stable_text(one)] == []


@pytest.mark.parametrize("text", ["2026-13-45", "0000000000", "date(1, 2, 3)", "1.5000000000"])
def test_what_only_looks_like_a_date_is_no_reason(text: str) -> None:
    assert is_stable_text(text)


def test_of_a_date_near_today_only_its_kind_is_told_and_that_it_has_no_zone() -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    told = ["assert isinstance(x, datetime)"]
    assert [one.code for one in facts_of("x", soon)] == told
    bare = soon.replace(tzinfo=None)
    assert [one.code for one in facts_of("x", bare)] == [*told, "assert x.tzinfo is None"]
    assert [one.code for one in facts_of("x", soon.date())] == ["assert isinstance(x, date)"]


def test_of_a_function_that_was_made_it_is_said_how_it_can_be_called() -> None:
    def made(a: int, *, b: int = 1) -> None: ...

    made.__annotations__.clear()
    (fact,) = [one for one in facts_of("made", made) if "signature" in one.code]

    assert fact.code == 'assert str(inspect.signature(made)) == "(a, *, b=1)"'
    assert fact.imports == ("import inspect",)


def test_a_signature_that_says_nothing_or_shows_an_address_is_not_asserted() -> None:
    def anything(*args: object, **kwargs: object) -> None: ...

    def told(a: object = object()) -> None: ...

    anything.__annotations__.clear()
    for made in (anything, told):
        assert not any("inspect.signature(" in one.code for one in facts_of("made", made))


class Reader:
    def __init__(self) -> None:
        self._at = 4

    @property
    def at(self) -> int:
        return self._at

    @property
    def broken(self) -> int:
        raise OSError

    @property
    def _hidden(self) -> int:
        return 1


def test_of_an_object_its_public_properties_are_said_and_one_that_raises_is_left_out() -> None:
    codes = [one.code for one in facts_of("reader", Reader())]

    assert "assert reader.at == 4" in codes
    assert not any("broken" in one or "hidden" in one for one in codes)


def test_of_a_stream_in_memory_it_is_said_what_was_written_and_where_it_stands() -> None:
    stream = io.StringIO("ab")
    stream.read(1)

    codes = [one.code for one in facts_of("stream", stream)]

    assert 'assert stream.getvalue() == "ab"' in codes
    assert "assert stream.tell() == 1" in codes
    stream.close()
    assert not any("getvalue" in one.code for one in facts_of("stream", stream))


def test_what_holds_an_object_of_the_test_is_compared_with_that_object() -> None:
    owner = Opaque()
    kept = Opaque()
    kept.size = owner  # type: ignore[assignment]
    names = {id(owner): "owner"}

    (fact,) = facts_of("result", ((owner, 1), {"by": owner}), Known(names))

    assert fact.code == 'assert result == ((owner, 1), {"by": owner})'
    assert "assert kept.size is owner" in [one.code for one in facts_of("kept", kept, Known(names))]


def test_a_mapping_shows_its_properties_beside_what_it_holds() -> None:
    class Limited(UserDict[str, int]):
        @property
        def room(self) -> int:
            return 3 - len(self)

    codes = [one.code for one in facts_of("box", Limited(a=1))]

    assert codes[0] == 'assert box == {"a": 1}'
    assert "assert box.room == 2" in codes


def test_what_changed_since_the_object_was_made_comes_before_what_it_was_made_with() -> None:
    class Bar:
        def __init__(self) -> None:
            self.fill = "#"
            self.empty = " "
            self.position = 0
            self._done = False

    bar = Bar()
    sets = frozenset({"_done"})
    made = {"bar": attributes_of("bar", bar, Known(sets=sets))}
    bar.position, bar._done = 3, True

    known = Known(sets=sets, made=made)
    codes = [(one.code, one.strength) for one in facts_of("bar", bar, known)]

    assert codes[1:] == [
        ("assert bar.position == 3", 2),
        ("assert bar._done is True", 0),
        ('assert bar.fill == "#"', 2),
        ('assert bar.empty == " "', 2),
    ]


def test_an_underscored_attribute_is_shown_only_where_the_test_itself_assigns_it() -> None:
    assert "_hidden" in attributes_of("x", Opaque(), Known(sets=frozenset({"_hidden"})))
    assert list(attributes_of("x", Opaque(), Known())) == ["size"]


def test_of_an_object_whose_private_side_the_test_uses_what_changed_there_is_shown() -> None:
    class Lexer:
        def __init__(self) -> None:
            self._mode = "text"
            self._stack: list[str] = []

    lexer = Lexer()
    inside = Known(inside=frozenset({"lexer"}))
    made = {"lexer": attributes_of("lexer", lexer, inside)}
    lexer._mode = "quoted"

    shown = facts_of("lexer", lexer, Known(inside=frozenset({"lexer"}), made=made))
    unshown = facts_of("lexer", lexer, Known(made=made))

    assert 'assert lexer._mode == "quoted"' in [one.code for one in shown]
    assert not [one for one in shown if "_stack" in one.code]
    assert not [one for one in unshown if "_mode" in one.code]


def test_an_object_is_asked_what_needs_no_argument_and_changes_nothing_by_its_name() -> None:
    class Document:
        def as_text(self, indent: int = 0) -> str:
            return "a = 1" + " " * indent

        def is_empty(self) -> bool:
            raise ValueError("never asked in earnest")

        def to_file(self, path: str) -> None:
            raise AssertionError(path)

        def drop(self) -> None:
            raise AssertionError

    codes = [(one.code, one.strength) for one in facts_of("result", Document())]

    assert codes[1:] == [('assert result.as_text() == "a = 1"', 0)]


def test_a_file_of_the_test_is_asserted_by_its_text_and_by_being_there(
    tmp_path: pathlib.Path,
) -> None:
    file = tmp_path / "out.txt"

    assert [one.code for one in facts_of("file", file)] == ["assert not file.exists()"]

    file.write_text("done\n", encoding="utf-8")

    assert [one.code for one in facts_of("file", file)] == [
        'assert file.read_text(encoding="utf-8") == "done\\n"'
    ]
    assert [one.code for one in facts_of("folder", tmp_path)] == [
        "assert sorted(one.name for one in folder.iterdir()) == ['out.txt']"
    ]

    file.write_bytes(b"\xff\xfe")

    assert facts_of("file", file) == []


def test_what_was_printed_is_read_once_for_both_streams(capsys: pytest.CaptureFixture[str]) -> None:
    shown = "capsys.readouterr()"

    assert [one.code for one in facts_of(shown, capsys.readouterr())] == [
        'assert capsys.readouterr() == ("", "")'
    ]

    print("out")

    assert [one.code for one in facts_of(shown, capsys.readouterr())] == [
        'assert capsys.readouterr().out == "out\\n"'
    ]

    print("out")
    print("err", file=sys.stderr)

    assert [one.code for one in facts_of(shown, capsys.readouterr())] == [
        'assert capsys.readouterr() == ("out\\n", "err\\n")'
    ]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (
            "<Cart(owner='Ann', at=0x7f3a2b1c4d5e, size=2)>",
            ["<Cart(owner='Ann', at=", ", size=2)>"],
        ),
        ("<Log(file=<_io.BufferedWriter name=1>)>", ["<Log(file="]),
        ("wrote /tmp/abc/cart.txt, and closed it", ["wrote ", ", and closed it"]),
        ("0x7f3a2b1c4d5e", []),
    ],
)
def test_of_a_text_with_an_unstable_part_what_stands_around_it_is_told(
    text: str, ends: list[str]
) -> None:
    codes = [one.code for one in facts_of("x", text)]
    assert [eval(code.partition("(")[2][:-1]) for code in codes if "with(" in code] == ends
    assert not any("len(" in code or "==" in code for code in codes)
