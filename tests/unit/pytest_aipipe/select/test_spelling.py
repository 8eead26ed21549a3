from __future__ import annotations

import pytest

from pytest_aipipe.select.spelling import may_be_spelled


@pytest.mark.parametrize(
    "text",
    [
        "x = 'get_level'",
        "x = 'get-level'",
        "x = 'GET LEVEL'",
        "x = 'getLevel'",
        "x = 'one get_level two'.split()",
        "x = f'get_{what}'",
        "x = 'get_%s' % what",
        "x = '{}_level'.format(what)",
        "x = what + '_level'",
        "x = '_'.join(('get', what))",
        "x = f'{a}_{b}', 'level'",
        "x = '''\nget_level\n'''",
        "x = (",
    ],
)
def test_a_name_is_spelled_by_a_text_that_says_it_or_a_part_of_it(text: str) -> None:
    source = f"get_level\n{text}" if text.endswith("(") else text
    assert may_be_spelled("get_level", [source.encode()])


@pytest.mark.parametrize(
    "text",
    [
        "def get_level(self): return self.get_level()",
        "def f():\n    '''Calls get_level.'''",
        "x = f'do_{what}'",
        "x = 'get', 'level'",
        "x = 'get it', '_'",
        "x = name.startswith('_'), 'level'",
        "x = a['target_levels']",
    ],
)
def test_a_name_is_spelled_by_no_code_and_no_description(text: str) -> None:
    assert not may_be_spelled("get_level", [text.encode()])


def test_parts_of_a_name_in_humps_need_nothing_between_them() -> None:
    assert may_be_spelled("visitName", [b"x = 'visit' + kind"])
    assert not may_be_spelled("visitName", [b"x = 'visitor' + kind"])


def test_a_name_of_one_word_is_spelled_whole_only() -> None:
    assert may_be_spelled("close", [b"x = 'close'"])
    assert not may_be_spelled("close", [b"x = 'clo' + 'se', '_'"])
