"""docs/errors.md explains every slug that the code can raise, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[3]
PACKAGES = ("aipipe_core", "pytest_aipipe", "aipipe_build", "aipipe_deploy", "aipipe")
RAISING = {"RequestError", "SurroundingsError", "AipipeError", "ModelError", "bad"}
SLUG = re.compile(r"[a-z]+(-[a-z0-9]+)+")


def slugs_of(source: str) -> set[str]:
    """Literal first arguments of what raises; an f-string's pattern is matched elsewhere."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        first = node.args[0]
        if name in RAISING and isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.add(first.value)
    return {slug for slug in found if SLUG.fullmatch(slug)}


def test_every_slug_in_the_code_is_explained() -> None:
    raised = set()
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            raised |= slugs_of(path.read_text())
    explained = set(re.findall(r"`([a-z0-9-]+)`", (PROJECT / "docs" / "errors.md").read_text()))

    assert len(raised) > 40
    assert sorted(raised - explained) == []
