from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.gaps.find import find_gaps
from pytest_aipipe.gaps.names import module_name
from pytest_aipipe.gaps.symbols import symbol_at, symbols_of
from pytest_aipipe.measure.analysis import Analyst, FileCoverage

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """\
LIMIT = 1

class A:
    size = 2

    @property
    def f(self):
        def inner():
            return 1
        return inner

if LIMIT:
    async def g():
        pass
"""


def test_symbols_are_named_as_their_qualname_without_locals() -> None:
    found = {symbol.qualname: symbol.kind for symbol in symbols_of(SOURCE)}
    assert found == {
        "A": "class",
        "A.f": "function",
        "A.f.inner": "function",
        "g": "async function",
    }
    assert symbols_of("def (") == ()


def test_a_line_belongs_to_the_innermost_symbol() -> None:
    symbols = symbols_of(SOURCE)
    lines = {1: "<module>", 4: "A", 6: "A.f", 9: "A.f.inner", 10: "A.f", 12: "<module>", 14: "g"}
    assert {line: symbol_at(symbols, line) for line in lines} == lines


def test_gaps_are_grouped_by_symbol_and_the_biggest_comes_first() -> None:
    found = FileCoverage(
        statements=frozenset({1, 4, 9, 10}),
        executed=frozenset({1}),
        branches=frozenset({(12, 13), (12, -1)}),
        executed_branches=frozenset({(12, 13)}),
    )
    gaps = find_gaps({"a.py": found}, {"a.py": SOURCE}, {"a.py": "a"})
    assert [(gap.symbol, sorted(gap.lines), sorted(gap.branches)) for gap in gaps] == [
        ("<module>", [], [(12, -1)]),
        ("A", [4], []),
        ("A.f", [10], []),
        ("A.f.inner", [9], []),
    ]


def test_what_does_not_lie_on_a_changed_line_is_no_gap() -> None:
    whole = FileCoverage(frozenset({1, 2}), frozenset(), frozenset({(2, 3)}), frozenset())
    assert whole.within(frozenset({1})) == FileCoverage(
        frozenset({1}), frozenset(), frozenset(), frozenset()
    )


def test_names_are_those_that_the_tests_import_by(tmp_path: Path) -> None:
    for name in ("src/pkg/__init__.py", "src/pkg/a.py", "lone/b.py", "flat.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    path = [str(tmp_path / "src"), str(tmp_path)]
    names = {
        name: module_name(tmp_path / name, path, {})
        for name in ("src/pkg/a.py", "src/pkg/__init__.py", "lone/b.py", "flat.py")
    }
    assert names == {
        "src/pkg/a.py": "pkg.a",
        "src/pkg/__init__.py": "pkg",
        "lone/b.py": "lone.b",
        "flat.py": "flat",
    }
    assert (
        module_name(tmp_path / "flat.py", path, {str(tmp_path / "flat.py"): "x.flat"}) == "x.flat"
    )


def test_the_projects_exclusions_and_only_those_are_followed(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text(
        "[coverage:run]\nomit = *\nplugins = nosuchplugin\n[coverage:report]\n"
        "exclude_lines =\n    pragma: no cover\n    assert_never\n"
    )
    file = tmp_path / "a.py"
    file.write_text("def f(x):\n    if x:\n        assert_never(x)\n    return 1\n")
    found = Analyst(tmp_path).analyse(file, [(-1, 1), (1, -1)])
    assert found is not None
    assert found.statements == {1, 2, 4}
    assert found.executed == {1}


def test_a_file_that_is_no_python_has_no_figures(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def (\n")
    assert Analyst(tmp_path).analyse(file, []) is None
