"""The model engine of a session: whether there is one, made from options and settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aipipe_core.config import load

if TYPE_CHECKING:
    from aipipe_core.config import Settings
    from pytest_aipipe.engines.llm.engine import ModelEngine
    from pytest_aipipe.options import Options
    from pytest_aipipe.session.host import Host

NAME = "llm"


def shared_engine(host: Host) -> ModelEngine | None:
    """Return the session's one model engine, made when it is first asked for."""
    if not host.model:
        host.model.append(model_engine(host))
    return host.model[0]


def model_engine(host: Host) -> ModelEngine | None:
    """Return the model engine where it is asked for and may be used; a note says why not.

    ``auto`` uses a model only where somebody has set one up. Raises
    :class:`aipipe_core.errors.AipipeError` where it is set up wrongly.
    """
    run, options = host.run, host.run.options
    named = NAME in options.engines
    if not named and "auto" not in options.engines:
        return None
    settings = settings_of(host)
    from aipipe_core.llm import is_configured

    if not named and not is_configured(settings, os.environ):
        return None
    reason = _why_not(options)
    if reason:
        if named:
            run.note(reason)
        return None
    return _made(host, settings)


def settings_of(host: Host) -> Settings:
    """Return the settings with what the options say of the model."""
    options = host.run.options
    flags = {"send": options.send, "max_cost": options.max_cost, "max_tokens": options.max_tokens}
    return load(host.config.rootpath, environ=os.environ, flags=flags)


def _why_not(options: Options) -> str:
    if options.send == "none":
        return "No model was asked: --ai-send=none. [model-send-none]"
    if options.sandbox == "off":
        return (
            "No model was asked: what it writes runs in a sandbox only, and --ai-sandbox=off. "
            "[model-needs-sandbox]"
        )
    return ""


def _made(host: Host, settings: Settings) -> ModelEngine:
    from aipipe_core.llm import client_from
    from aipipe_core.store import open_store
    from pytest_aipipe.engines import default_engines
    from pytest_aipipe.engines.llm.engine import ModelEngine

    run = host.run
    root = run.change.root
    store = open_store(settings.store.url or None, root=root)
    host.config.add_cleanup(store.close)
    for finding in store.findings:
        run.note(finding.message)
    client = client_from(settings, os.environ, root, store=store)
    has_local = bool({"auto", "local"} & set(run.options.engines))
    engine = ModelEngine(
        client,
        send=run.options.send,
        hunks={file.path: file.hunks for file in run.change.files},
        fallback=() if has_local else default_engines(),
        parallel=settings.model.parallel,
    )
    problem = client.setup.problem()
    if problem is not None and not settings.model.replay and not settings.model.preview:
        run.note(" ".join(str(problem).split()))
    return engine


def tell(host: Host, engine: ModelEngine | None) -> None:
    """Put what the engine did into the run: its ledger, its counts, its notes."""
    if engine is None:
        return
    run = host.run
    for note in engine.notes:
        run.note(note)
    run.llm = {**engine.client.ledger.summary(), "counts": dict(sorted(engine.counts.items()))}
    player: Any = engine.client.player
    if player is not None and player.near:
        run.note(f"{player.near} exchanges were replayed by their label: the question differed.")
    sent = run.llm["calls"]
    if sent and player is None:
        what = "signatures" if engine.send == "signatures" else "changed code and its nearest tests"
        where = engine.client.setup.host
        run.note(f"{sent} questions ({what}, secrets masked) were sent to {where}.")
