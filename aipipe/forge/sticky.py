"""The one comment of ours on a request, which each run writes anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe.forge.model import MARK, Told

if TYPE_CHECKING:
    from aipipe.forge.api import Answer, Api


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a request's comments are: listed and added at one path, rewritten at another.

    ``one`` holds ``{id}``; ``rewrite`` is the method that the forge takes for it; ``query``
    orders the list so that ours, which is old, comes early.
    """

    every: str
    one: str
    rewrite: str
    query: str = ""

    def write(self, api: Api, body: str) -> Answer | Told:
        """Write our comment or rewrite it; a second one is never made while the first is there."""
        known = api.pages(self.every + self.query)
        if isinstance(known, Told):
            return known
        ours = [one for one in known if str(one.get("body", "")).startswith(MARK)]
        payload = {"body": f"{MARK}\n{body}"}
        if ours:
            return api.call(self.rewrite, self.one.format(id=ours[0].get("id")), payload)
        return api.call("POST", self.every, payload)
