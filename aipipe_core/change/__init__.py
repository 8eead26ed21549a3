"""The change: base, head, files, hunks, symbols, kinds."""

from aipipe_core.change.base import base_worktree
from aipipe_core.change.blobs import file_at
from aipipe_core.change.model import Change, FileChange, Hunk, Kind, Symbol
from aipipe_core.change.reader import read_change
from aipipe_core.change.spec import parse_spec

__all__ = [
    "Change",
    "FileChange",
    "Hunk",
    "Kind",
    "Symbol",
    "base_worktree",
    "file_at",
    "parse_spec",
    "read_change",
]
