"""A client from settings and environment, with the store, the caps and the recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.llm.caps import caps_from
from aipipe_core.llm.client import Client
from aipipe_core.llm.exchange import Player, Recorder
from aipipe_core.llm.ledger import Ledger
from aipipe_core.llm.setup import setup_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_core.config import Settings
    from aipipe_core.store.store import Store


def client_from(
    settings: Settings, environ: Mapping[str, str], root: Path, *, store: Store | None = None
) -> Client:
    """Return the client that ``settings`` ask for; folders in them count from ``root``.

    ``store`` keeps the ledger, and the answers unless ``model.cache`` is off. Raises
    ``RequestError`` for a price, a cap or a recording that cannot be used. No package is
    imported and nothing is sent until the first question.
    """
    model = settings.model
    ledger = Ledger(caps_from(settings), store)
    return Client(
        setup_from(settings, environ),
        ledger,
        store=store if model.cache else None,
        recorder=Recorder(root / model.record) if model.record else None,
        player=Player(root / model.replay) if model.replay else None,
        preview=root / Path(model.preview) if model.preview else None,
        environ=environ,
    )
