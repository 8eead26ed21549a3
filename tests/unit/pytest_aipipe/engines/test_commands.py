"""What a command line is run with, and files that can be read but not written."""

from __future__ import annotations

import ast
from typing import Any

from pytest_aipipe.engines.techniques.command import Command, Option, options_of
from pytest_aipipe.engines.techniques.force import patches_for
from pytest_aipipe.engines.techniques.sequences import Sequences

CLI = """
    import argparse


    def parser():
        made = argparse.ArgumentParser()
        made.add_argument('names', nargs='+')
        made.add_argument('-o', '--outfile', dest='target')
        made.add_argument('-i', '--in-place', dest='inplace', action='store_true')
        return made


    def main(args=None):
        options = parser().parse_args(args)
        if options.inplace and options.names == ['-']:
            return 1
        try:
            with open(options.names[0], 'r') as file:
                text = file.read()
        except OSError:
            return 2
        try:
            with open(options.target, 'w') as file:
                file.write(text)
        except OSError:
            return 3
        return 0
"""


def test_an_option_is_known_by_the_name_that_its_value_gets() -> None:
    found = options_of(
        ast.parse("p.add_argument('-i', '--in-place', dest='inplace', action='store_true')")
    )

    assert found == [Option(("'--in-place'",), "inplace")]


def test_the_option_that_a_guard_asks_for_comes_first(world: Any) -> None:
    situation = world(CLI).situation("main", "return 1")
    (batch, *_) = Command().propose(situation)

    first = next(one.function for one in batch if "'--" in one.function)

    assert "'--in-place'" in first


def test_every_name_in_a_command_line_is_made_by_its_test(world: Any) -> None:
    situation = world(CLI).situation("main", "return 3")
    for batch in Command().propose(situation):
        for one in batch:
            tree = ast.parse(one.function)
            stored = {
                n.id
                for n in ast.walk(tree)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} & {"file", "folder"}
            assert loaded <= stored, one.function


def test_a_file_may_be_read_and_not_written(world: Any) -> None:
    situation = world(CLI).situation("main", "return 3")

    refused = next(one for one in patches_for(situation) if "cannot be opened" in one.note)

    names: dict[str, Any] = {}
    exec(refused.lines[0], names)
    try:
        names["fail"]("any", "w")
    except OSError:
        pass
    else:
        raise AssertionError("the file was opened for writing")
    with names["fail"](__file__) as file:
        assert file.read(3) == '"""'


def test_an_object_is_filled_with_plain_values_before_the_target_is_called(world: Any) -> None:
    situation = world("""
        class Box:
            def __init__(self):
                self._held = {}

            def __setitem__(self, key, value):
                self._held[key] = value

            def __contains__(self, key):
                return key in self._held

            def clear(self):
                self._held.clear()


        class Crate(Box):
            def clear(self):
                super().clear()
    """).situation("Crate.clear", "super().clear()")

    (batch, *_) = Sequences().propose(situation)

    assert "crate['a'] = " in batch[0].function
    assert batch[0].function.rstrip().endswith("crate.clear()")
