from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.config import load
from aipipe_core.llm import Ask, Client, Message, client_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.model_server import ModelServer


@pytest.fixture
def make_client(server: ModelServer, tmp_path: Path) -> Callable[..., Client]:
    """A client of the server, its settings given as ``model__retries=0``."""

    def make(
        *, environ: dict[str, str] | None = None, store: Any = None, **settings: Any
    ) -> Client:
        named = {"model.retries": 0, "model.timeout": 5}
        named |= {name.replace("__", "."): value for name, value in settings.items()}
        around = {"OPENAI_BASE_URL": server.url, **(environ or {})}
        return client_from(load(tmp_path, environ={}, flags=named), around, tmp_path, store=store)

    return make


@pytest.fixture
def ask() -> Ask:
    return Ask(
        "tests",
        "tests/1",
        "small",
        (Message("system", "Be brief."), Message("user", "Go")),
        50,
        label="a.py::f",
    )
