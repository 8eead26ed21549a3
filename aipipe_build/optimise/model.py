"""A model's rewrite: one more proposal before the same proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.optimise.guard import objection
from aipipe_build.optimise.proposal import Proposal
from aipipe_core.config import load
from aipipe_core.llm import ModelError, client_from, is_configured, prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aipipe_build.optimise.situation import Situation
    from aipipe_core.llm import Client

_FILES = 200


def model_client(root: Path, environ: Mapping[str, str]) -> Client | None:
    """Return the client where a model is configured and the code may leave, else None."""
    settings = load(root, environ=environ, flags={})
    if settings.send != "diff" or not is_configured(settings, environ):
        return None
    return client_from(settings, environ, root)


class ModelRule:
    """Asks once. What goes wrong with the model is told, and the search goes on without it."""

    def __init__(
        self, client: Client, sizes: Callable[[str], int], tell: Callable[[str], None]
    ) -> None:
        self._client = client
        self._sizes = sizes
        self._tell = tell

    def __call__(self, situation: Situation) -> Proposal | None:
        """Return the model's rewrite; one that may not be built comes back as advice."""
        ask = prompt("dockerfile").ask(
            "dockerfile",
            dockerfile=situation.text,
            context="\n".join(
                f"{path} {self._sizes(path)}" for path in sorted(situation.files)[:_FILES]
            ),
            timings="",
            ignore=situation.ignore or "",
        )
        try:
            data = self._client.ask(ask).data
        except ModelError as error:
            self._tell(f"model: {error}")
            return None
        text, changes = str(data["dockerfile"]), data["changes"]
        if not changes or text.strip() == situation.text.strip():
            return None
        title = "; ".join(str(one["what"]) for one in changes)[:200]
        why = "; ".join(str(one["why"]) for one in changes)[:300]
        problem = objection(situation.text, text)
        if problem:
            return Proposal("model", title, f"it was not built: {problem}")
        return Proposal("model", title, why, text=text if text.endswith("\n") else text + "\n")
