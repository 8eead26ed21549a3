"""The journal: every move is written down before it is made."""

from __future__ import annotations

from aipipe_deploy.journal.journal import Journal
from aipipe_deploy.journal.lease import Lease
from aipipe_deploy.journal.model import Entry, Release, State

__all__ = ["Entry", "Journal", "Lease", "Release", "State"]
