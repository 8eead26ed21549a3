from __future__ import annotations

import pytest

from tests.unit.pytest_aipipe.select.asked import demand, lines

CLOCK = """\
class Clock:
    FORMS = {"iso": 1}
    def show(self, form):
        return self.FORMS[form]
    def stop(self):
        return 0
class Watch(Clock):
    def wind(self):
        return 1
KINDS = {"clock": Clock}
"""
USER = """\
from clock import KINDS, Clock, Watch
def test_show():
    assert Clock().show("iso")
def test_stop():
    assert KINDS["clock"]().stop()
"""
FILES = {"clock.py": CLOCK, "t.py": USER}
CHANGE = ('"iso": 1', '"iso": 2')


def test_another_value_concerns_who_reads_it_by_its_name() -> None:
    found = demand(FILES, "clock.py", *CHANGE)
    assert lines(found, "clock.py") == {4}
    assert not lines(found, "t.py")
    assert not found.whole
    assert not found.parts


def test_a_value_that_is_made_from_another_is_another_too() -> None:
    files = {**FILES, "more.py": "from clock import Clock\nMOST = max(Clock.FORMS)\n"}
    assert ("more.py", "MOST") in demand(files, "clock.py", *CHANGE).parts
    for more in ("MOST = len(FORMS)", "FORMS.update(more=2)"):
        own = CLOCK.replace("    def show", f"    {more}\n    def show")
        found = demand({"clock.py": own}, "clock.py", *CHANGE)
        assert ("clock.py", "Clock") in found.parts
        assert not found.whole


@pytest.mark.parametrize(
    "looking",
    ["vars(one)", "one.__dict__", "dir(one)", "getattr(one, 'FOR' + name)", "getattr(one, f'{name}MS')"],
)  # fmt: skip
def test_who_may_come_to_a_value_without_its_name_and_uses_the_class_is_asked_for(
    looking: str,
) -> None:
    change = ('"iso": 1', '"iso": 2')
    text = CLOCK.replace("FORMS", "FOR_MS")
    looking = looking.replace("'FOR'", "'FOR_'").replace("}MS", "}_MS")
    files = {
        "clock.py": text,
        "look.py": f"import clock\ndef look(one, name):\n    return {looking}\n",
    }
    assert lines(demand(files, "clock.py", *change), "look.py") == {3}


def test_a_computed_name_that_no_text_can_make_this_one_is_another() -> None:
    looking = "import clock\ndef look(one, name):\n    return getattr(one, f'do_{name}')\n"
    assert not lines(demand({**FILES, "look.py": looking}, "clock.py", *CHANGE), "look.py")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class Clock:", "class Clock(metaclass=Meta):"),
        ("class Clock:", "@register\nclass Clock:"),
        ("class Clock:", "@dataclass\nclass Clock:"),
        ("class Clock:", "class Clock(Foreign):"),
        ("class Clock:", "class Clock:\n    def __init_subclass__(cls): ..."),
        ("def wind", "def test_wind"),
        ("self.FORMS[form]", "form"),
        ("def stop(self):", "def stop(self, FORMS=1):"),
        ("KINDS =", "class Other:\n    FORMS = 1\nKINDS ="),
    ],
    ids=["metaclass", "decorator", "dataclass", "base", "hook", "tests", "unread", "argument", "other"],
)  # fmt: skip
def test_a_value_that_something_unseen_may_read_concerns_who_uses_the_class(
    old: str, new: str
) -> None:
    files = {**FILES, "clock.py": CLOCK.replace(old, new)}
    assert files["clock.py"] != CLOCK
    found = demand(files, "clock.py", *CHANGE)
    assert ("clock.py", "Clock") in found.parts
    assert lines(found, "t.py") >= {3, 5}


def test_a_value_that_templates_may_read_concerns_who_uses_the_class() -> None:
    files = {**FILES, "t.py": f"import jinja2\n{USER}"}
    assert ("clock.py", "Clock") in demand(files, "clock.py", *CHANGE).parts


def test_a_format_names_what_it_shows() -> None:
    text = CLOCK.replace("self.FORMS[form]", '"{0.FORMS}".format(self)')
    assert lines(demand({"clock.py": text}, "clock.py", *CHANGE), "clock.py") == {4}


def test_a_file_that_cannot_be_read_leaves_the_value_to_who_uses_the_class() -> None:
    files = {**FILES, "old.py": "import clock\nprint clock.Clock.FORMS\n"}
    assert ("clock.py", "Clock") in demand(files, "clock.py", *CHANGE).parts
