"""Catching tests as files: what is written under ``behavior/`` of the target folder."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.generate.model import Candidate
    from pytest_aipipe.generate.request import Naming

FOLDER = "behavior"


def named(candidate: Candidate, name: str, naming: Naming) -> Candidate:
    """Return the candidate with its test called ``name``, as the project collects tests."""
    prefix = next((f.rstrip("*") for f in naming.functions if f.rstrip("*").isidentifier()), "test")
    wanted = name if name.startswith(prefix) else f"{prefix}_{name}"
    wanted = re.sub(r"\W+", "_", wanted)
    function = text.test_function(candidate.function)
    if function is None:
        return candidate
    old = rf"(def )({re.escape(function.name)})(\()"
    source = re.sub(old, rf"\g<1>{wanted}\g<3>", candidate.function, count=1)
    outer = candidate.name if text.is_class(candidate.function) else wanted
    return replace(candidate, function=source, name=outer)


def file_name(stem: str, naming: Naming) -> str:
    """Return a file name with this stem that the project's own pytest settings collect."""
    stem = re.sub(r"\W+", "_", stem).strip("_")
    pattern = next((p for p in naming.files if p.count("*") == 1 and p.endswith(".py")), "")
    return pattern.replace("*", stem) if pattern else f"test_{stem}.py"


CATCHING_HEADER = """\
# States what the base version did; written by `pytest --ai-diff`. Delete this file, or accept
# the new behaviour with `--ai-behavior-accept`, once it is what you want.
"""
ACCEPTED_HEADER = """\
# Written by `pytest --ai-diff`: behaviour that was accepted with `--ai-behavior-accept`.
"""


def comment(sentence: str) -> str:
    """Return a sentence as comment lines."""
    return textwrap.fill(sentence, 88, initial_indent="# ", subsequent_indent="# ") + "\n"


def module_text(candidate: Candidate, head: str) -> str:
    """Return the whole file: ``head`` (how it came to be), imports, helpers, the test."""
    needed = _needed(candidate)
    imports = [p for p in needed if p.startswith(("import ", "from "))]
    helpers = [p for p in needed if p not in imports]
    blocks = ["\n\n".join(_grouped(imports))] if imports else []
    blocks += [helper.rstrip() for helper in helpers]
    return head + "\n" + "\n\n\n".join([*blocks, candidate.function.rstrip()]) + "\n"


def _grouped(imports: Sequence[str]) -> list[str]:
    """Return the imports as they are usually laid out: the language's, its library's, others."""
    groups: list[list[str]] = [[], [], []]
    for statement in dict.fromkeys(imports):
        root = statement.split()[1].partition(".")[0]
        place = 0 if root == "__future__" else 1 if root in sys.stdlib_module_names else 2
        groups[place].append(statement)
    for group in groups:
        group.sort(key=lambda statement: (statement.startswith("from"), statement))
    return ["\n".join(group) for group in groups if group]


def _needed(candidate: Candidate) -> list[str]:
    """Return the prelude without imports of names that nothing uses any more."""
    used = {
        node.id
        for part in (candidate.function, *candidate.prelude)
        for node in ast.walk(syntax.parse(part))
        if isinstance(node, ast.Name)
    }
    kept = []
    for part in candidate.prelude:
        (node, *_) = syntax.parse(part).body or [ast.Pass()]
        if isinstance(node, ast.Import | ast.ImportFrom) and "__future__" not in part:
            names = {alias.asname or alias.name.split(".")[0] for alias in node.names}
            if "*" not in names and not names & used:
                continue
        kept.append(part)
    return list(dict.fromkeys(kept))
