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


def shapes_of(source: str) -> set[str]:
    """Every text of the code that may be a slug, as a pattern: an f-string's gaps take a word."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {re.escape(slug) for slug in re.findall(r"\[([a-z0-9-]+)\]$", node.value)}
            found.add(
                f"([a-z]+-)?{re.escape(node.value)}"
            )  # some are told what of: pipeline, rules
        if isinstance(node, ast.JoinedStr):
            fixed = [one.value for one in node.values if isinstance(one, ast.Constant)]
            parts = [
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z0-9-]+"
                for part in node.values
            ]
            if any(re.search("[a-z]{3}", str(text)) for text in fixed):  # else it is any word
                found.add("".join(parts))
    return {shape for shape in found if "-" in shape and " " not in shape}


def test_every_explained_slug_is_one_that_the_code_has() -> None:
    shapes = set()
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            shapes |= shapes_of(path.read_text())
    rows = re.findall(
        r"^\| (`[^|]+) \|", (PROJECT / "docs" / "errors.md").read_text(), re.MULTILINE
    )
    explained = {slug for row in rows for slug in re.findall(r"`([a-z0-9-]+)`", row)}
    known = re.compile("|".join(sorted(shapes)))

    assert len(explained) > 40
    assert not known.fullmatch("engine-on-the-moon")
    assert sorted(slug for slug in explained if not known.fullmatch(slug)) == []
