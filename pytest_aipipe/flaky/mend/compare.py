"""Mends of what is compared: both sides sorted, or a float within its tolerance."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.flaky.mend.proposal import Proposal, names_of
from pytest_aipipe.flaky.mend.source import Source, start_of, with_fixture
from pytest_aipipe.flaky.mend.text import with_compared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.mend.proposal import Scene

SEPARATORS = (", ", ",", "; ", " | ", "\\n", " ")
LISTED = '''\
@pytest.fixture
def {name}(monkeypatch):
    """Folders in the order of their names: the system promises none."""
    listdir, scandir = os.listdir, os.scandir

    def sorted_scandir(path="."):
        with scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        return contextlib.nullcontext(iter(found))

    monkeypatch.setattr(os, "listdir", lambda path=".": sorted(listdir(path)))
    monkeypatch.setattr(os, "scandir", sorted_scandir)
'''


def _line(finding: Finding, path: str, scene: Scene) -> int:
    """Return the line of the failed assertion in the test's own file, 0 for elsewhere.

    Mends before this one may have moved it; it keeps its place in its function.
    """
    where = finding.failure.where if finding.failure else ""
    file, _, line = where.rpartition(":")
    if not file.endswith(path) or not line.isdigit():
        return 0
    names = names_of(finding.nodeid)
    before, now = start_of(scene.original(path), names), start_of(scene.read(path), names)
    return int(line) - before + now if before and now else 0


def sort(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Compare without an order that nothing promises, or list folders sorted."""
    if finding.failure is None:
        return
    if finding.failure.compare.get("kind") == "order":
        yield from in_any_order(finding, scene)
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    text = scene.read(path)
    if finding.failure.touched.get("listings"):
        made = with_fixture(
            Source.of(text), names, name="sorted_folders", code=LISTED,
            imports=["contextlib", "os"],
        )  # fmt: skip
        yield Proposal("lists folders in the order of their names", {path: made.text})


def in_any_order(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Sort both sides of the comparison that failed, or the pieces of both texts."""
    path = scene.path_of(finding.nodeid)
    text, line = scene.read(path), _line(finding, path, scene)
    allowed = frozenset({"sorted"})
    types = set(finding.failure.compare.get("types", ())) if finding.failure else set()
    if not line:
        return
    both = with_compared(
        text, line, lambda side: f"sorted({side})", ops=(ast.Eq,), left=True, right=True
    )
    words = "compares what has no order sorted"
    if both and types != {"str"}:
        yield Proposal(words, {path: both}, allowed)
    for mark in SEPARATORS if "str" in types else ():
        quoted = f'"{mark}"'
        pieces = with_compared(
            text, line, lambda side, q=quoted: f"sorted({_held(side)}.split({q}))",  # type: ignore[misc]
            ops=(ast.Eq,), left=True, right=True,
        )  # fmt: skip
        if pieces and mark.replace("\\n", "\n") in text:
            yield Proposal(f"{words}, split at {mark!r}", {path: pieces}, allowed)


def _held(side: str) -> str:
    """Return ``side`` so that an attribute of it can be taken."""
    node = syntax.parse(side.strip(), mode="eval").body
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)
    return side if simple else f"({side})"


def approximate(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Compare floats within pytest's own tolerance of a millionth."""
    path = scene.path_of(finding.nodeid)
    text, line = scene.read(path), _line(finding, path, scene)
    if not line:
        return
    near = with_compared(
        text, line, lambda side: f"pytest.approx({side})", ops=(ast.Eq,), left=False, right=True
    )
    if near:
        made = Source.of(near).with_import("pytest")
        yield Proposal(
            "compares floats with pytest.approx", {path: made.text}, frozenset({"approx"})
        )
