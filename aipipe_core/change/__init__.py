"""The change: base, head, files, hunks, symbols, kinds."""

from aipipe_core.change.model import Change, FileChange, Hunk, Kind, Symbol

__all__ = ["Change", "FileChange", "Hunk", "Kind", "Symbol"]
