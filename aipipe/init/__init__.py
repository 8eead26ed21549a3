"""``aipipe init``: the pipeline, the CI jobs and the hook that fit this repository."""

from __future__ import annotations

from aipipe.init.look import Repository, look
from aipipe.init.write import Outcome, Written, write_all

__all__ = ["Outcome", "Repository", "Written", "look", "write_all"]
