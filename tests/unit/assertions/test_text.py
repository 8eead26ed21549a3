from __future__ import annotations

from pytest_aipipe.assertions import text

SOURCE = """\
def test():
    x = 1
    with open("a") as f:
        y = f.read()
        z = 2
    assert x
"""


def test_a_block_and_what_it_holds_can_be_deleted_together() -> None:
    found = text.statements(SOURCE)
    assert text.delete(SOURCE, found[1:4]) == "def test():\n    x = 1\n    assert x\n"


def test_a_block_is_never_left_empty() -> None:
    found = text.statements(SOURCE)
    assert text.delete(SOURCE, found[2:4]) is None
