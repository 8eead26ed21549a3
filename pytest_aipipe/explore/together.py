"""Several test files in one process, one after the other, as a session would run them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.explore import synthetic
from pytest_aipipe.explore.trial import Watch

if TYPE_CHECKING:
    from pytest_aipipe.explore.wire import Message


def run_together(session: pytest.Session, message: Message) -> Message:
    """Run the files' tests in order, or backwards, and tell each test's verdict."""
    config = session.config
    items: list[pytest.Item] = []
    results: list[dict[str, Any]] = []
    for file in message["files"]:
        path = Path(file["path"])
        try:
            code = compile(file["source"], str(path), "exec", dont_inherit=True)
            module = synthetic.build_module(path, code, config, {})
            parent = synthetic.parent_for(session, path.parent)
            node = synthetic.module_node(parent, path, module)
            items += synthetic.items_of(node)
        except Exception as error:  # a file that cannot be collected is a verdict
            results.append(
                {"file": path.name, "test": "", "ok": False, "detail": str(error)[-400:]}
            )
    config.hook.pytest_collection_modifyitems(session=session, config=config, items=items)
    if message.get("reverse"):
        items.reverse()
    for item, following in zip(items, [*items[1:], None], strict=True):
        watch = Watch()
        config.pluginmanager.register(watch, "aipipe-watch")
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        finally:
            config.pluginmanager.unregister(watch)
        failed = [one for one in watch.reports if one.failed]
        ran = any(one.when == "call" and one.passed for one in watch.reports)
        results.append(
            {
                "file": item.path.name,
                "test": _own_name(item),
                "ok": ran and not failed,
                "detail": str(failed[0].longrepr)[-400:] if failed else "",
            }
        )
    return {"status": "passed", "results": results}


def _own_name(item: pytest.Item) -> str:
    """Return the name of the function or class at the file's top level."""
    chain = [one for one in item.listchain() if isinstance(one, pytest.Class)]
    return chain[0].name if chain else getattr(item, "originalname", None) or item.name
