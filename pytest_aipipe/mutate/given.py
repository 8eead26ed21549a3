"""Test files that are not on the disk yet, collected where they will stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_aipipe.explore import synthetic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest


def given_items(session: pytest.Session, files: Sequence[Mapping[str, str]]) -> list[pytest.Item]:
    """Return the items of ``files`` (``path`` and ``source``), in order.

    A file that cannot be imported or collected has none: under a mutant this is how its
    tests are lost, and they count as failed.
    """
    session.items = []
    items: list[pytest.Item] = []
    for file in files:
        path = Path(file["path"])
        try:
            code = compile(file["source"], str(path), "exec", dont_inherit=True)
            module = synthetic.build_module(path, code, session.config, {})
            node = synthetic.module_node(synthetic.parent_for(session, path.parent), path, module)
            items += synthetic.items_of(node)
        except Exception:  # noqa: S112 - a mutant, or what it imports, may raise anything
            continue
    hook = session.config.hook
    hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
    return items
