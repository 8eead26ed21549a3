"""risk.yaml: a team's own rules and routes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from aipipe.risk.rules import Rules, read_rules
from aipipe.route import MATRIX, reasons, route_for
from aipipe_core.change import Change, FileChange, Kind
from aipipe_core.errors import RequestError


def rules(tmp_path: Path, text: str) -> Rules:
    (tmp_path / "risk.yaml").write_text(dedent(text))
    return read_rules(tmp_path)


def change(*files: FileChange) -> Change:
    return Change(Path("/r"), "a" * 40, "worktree", files)


def code(path: str, *kinds: Kind) -> FileChange:
    return FileChange(path, "M", frozenset(kinds or (Kind.CODE,)))


def test_without_the_file_nothing_is_ruled(tmp_path: Path) -> None:
    assert read_rules(tmp_path) == Rules()
    assert rules(tmp_path, "") == Rules()


def test_always_then_at_most_then_at_least(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        """
        rules:
          - {paths: ["pay/**"], always: high, why: money}
          - {paths: ["tools/**"], only: true, at_most: low}
          - {kinds: [authentication], at_least: medium}
        """,
    )

    def level(start: str, *files: FileChange) -> tuple[str, list[int]]:
        settled, spoke = found.settle(start, change(*files))
        return settled, [rule.line for rule in spoke]

    assert level("low", code("pay/a.py")) == ("high", [3])
    assert level("high", code("tools/a.py")) == ("low", [4])
    assert level("high", code("tools/a.py"), code("b.py")) == ("high", [])
    assert level("low", code("a.py", Kind.CODE, Kind.AUTHENTICATION)) == ("medium", [5])
    assert level("high", code("a.py", Kind.CODE, Kind.AUTHENTICATION)) == ("high", [])
    login = code("tools/login.py", Kind.CODE, Kind.AUTHENTICATION)
    assert level("high", login) == ("medium", [4, 5])
    assert level("low") == ("low", [])


def test_the_matrix_is_edited_and_the_reason_says_so(tmp_path: Path) -> None:
    found = rules(tmp_path, "route: {low: {tests: full, watch: 90s}}")
    kinds = frozenset({Kind.CODE})
    route = route_for("low", kinds, found.matrix)
    assert (route.tests, route.watch_seconds, route.build) == ("full", 90, "cached")
    assert found.matrix["high"] == MATRIX["high"]
    told = reasons("low", kinds, route, found.matrix, found.edited)
    assert told["tests"] == "risk.yaml's row for low risk"


def test_what_overrules_the_matrix_is_told() -> None:
    docs = frozenset({Kind.DOCS})
    told = reasons("low", docs, route_for("low", docs))
    assert told["tests"] == "only documentation changed"
    assert told["build"] == "nothing that ships changed"
    told = reasons("low", docs, route_for("low", docs, read=True), reader="a test reads it")
    assert told["tests"] == "a test reads it"
    ci = frozenset({Kind.CI, Kind.TESTS})
    told = reasons("high", ci, route_for("high", ci))
    assert told["tests"] == "nothing that the product runs changed"
    both = frozenset({Kind.CODE, Kind.DEPENDENCIES})
    assert reasons("low", both, route_for("low", both))["build"] == "dependencies changed"


@pytest.mark.parametrize(
    ("text", "line", "slug"),
    [
        ("rules:\n  - {paths: [a], always: high, at_most: low}\n", 2, "rules-invalid"),
        ("rules:\n  - {paths: [a]}\n", 2, "rules-invalid"),
        ("rules:\n  - always: high\n", 2, "rules-invalid"),
        ("rules:\n  - paths: [a]\n    always: huge\n", 3, "rules-invalid"),
        ("rulez: []\n", 1, "rules-unknown-key"),
        ("route:\n  low:\n    test: full\n", 3, "rules-unknown-key"),
        ("route: [\n", 2, "rules-not-yaml"),
        ("route: {}\nroute: {}\n", 2, "rules-key-twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, slug: str
) -> None:
    with pytest.raises(RequestError) as caught:
        rules(tmp_path, text)
    assert (caught.value.slug, caught.value.where) == (slug, f"risk.yaml, line {line}")
