"""What is remembered between runs: values under keys, and which test ran which lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipipe_core.store.contexts import Contexts, Coverage
    from aipipe_core.store.opening import open_store
    from aipipe_core.store.store import Store

__all__ = ["Contexts", "Coverage", "Store", "open_store"]

_HOMES = {"Contexts": "contexts", "Coverage": "contexts", "Store": "store", "open_store": "opening"}


def __getattr__(name: str) -> object:
    # SQLAlchemy is loaded by whoever opens a store, not by whoever mentions one.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
