"""Read a change: from a folder and a SPEC to a :class:`Change`, as a list of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.change.blobs import blobs, file_at
from aipipe_core.change.diff import Entry, entries
from aipipe_core.change.exclude import is_excluded
from aipipe_core.change.git import run, top_of
from aipipe_core.change.hunks import has_lone_return, hunks_between, hunks_of
from aipipe_core.change.kinds import kinds_of
from aipipe_core.change.model import Change, FileChange, Hunk, Symbol
from aipipe_core.change.resolve import EMPTY_TREES, Ends, resolve
from aipipe_core.change.spec import STAGED, WORKTREE, parse_spec
from aipipe_core.change.symbols import (
    MODULE,
    UnreadableSourceError,
    encoding_of,
    holding,
    innermost_first,
    symbols_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MESSAGES = 50
"""How many commit messages a change carries at most, the newest ones."""


def read_change(
    root: Path,
    spec: str | None,
    *,
    default_branch: str | None = None,
    exclude: Sequence[str] = (),
) -> Change:
    """Return what changed in the repository that holds ``root``.

    ``spec`` is that of the contract: None, ``REV``, ``A..B``, ``A...B``, ``staged``,
    ``worktree``. ``default_branch`` overrides the search for it; paths that a glob
    of ``exclude`` names are left out. Raises ``RequestError``
    for a SPEC that names nothing and ``SurroundingsError`` where git or the clone is at fault.
    """
    wanted = parse_spec(spec)
    top = top_of(root)
    ends = resolve(top, wanted, default_branch=default_branch)
    found = [entry for entry in entries(top, ends) if not is_excluded(entry.path, exclude)]
    contents = _contents(top, ends, found)
    return Change(
        root=top,
        base=ends.base,
        head=ends.head,
        files=tuple(_file(top, entry, contents) for entry in found),
        message=_messages(top, ends),
        spec=spec or "",
    )


@dataclass(frozen=True, slots=True)
class _Contents:
    """Both sides of the files whose content is needed."""

    old: dict[str, bytes]
    new: dict[str, bytes]


def _contents(top: Path, ends: Ends, found: Sequence[Entry]) -> _Contents:
    """Return what is needed to name symbols and kinds: no binary file is worth its reading."""
    wanted = [
        entry
        for entry in found
        if _is_python(entry) or not (entry.is_binary or entry.is_link or entry.is_submodule)
    ]
    names = [entry.old_blob for entry in wanted if _is_python(entry) or entry.status == "D"]
    if ends.head != WORKTREE:
        names += [entry.new_blob for entry in wanted]
    stored = blobs(top, (name for name in names if name))
    old = {entry.path: stored[entry.old_blob] for entry in wanted if entry.old_blob in stored}
    new = {entry.path: stored[entry.new_blob] for entry in wanted if entry.new_blob in stored}
    if ends.head == WORKTREE:
        on_disk = {entry.path: file_at(top, WORKTREE, entry.path) for entry in wanted}
        new = {path: content for path, content in on_disk.items() if content is not None}
    return _Contents(old, new)


def _is_python(entry: Entry) -> bool:
    return entry.path.endswith((".py", ".pyi", ".pyw"))


def _file(top: Path, entry: Entry, contents: _Contents) -> FileChange:
    old, new = contents.old.get(entry.path, b""), contents.new.get(entry.path, b"")
    binary = entry.is_binary
    hunks: tuple[Hunk, ...] = ()
    if not (binary or entry.is_link or entry.is_submodule):
        hunks = _hunks(top, entry, old, new)
    symbols, error = _symbols(entry, hunks, old, new)
    changed = (line for hunk in hunks for side in (hunk.removed, hunk.added) for line in side)
    return FileChange(
        path=entry.path,
        status=_status(entry),
        kinds=kinds_of(entry.path, content=new or old, changed=changed),
        old_path=entry.old_path,
        old_mode=entry.old_mode or None,
        new_mode=entry.new_mode or None,
        binary=binary,
        submodule=entry.is_submodule,
        hunks=hunks,
        symbols=symbols,
        error=error,
    )


def _status(entry: Entry) -> str:
    return "M" if entry.status == "U" else entry.status


def _hunks(top: Path, entry: Entry, old: bytes, new: bytes) -> tuple[Hunk, ...]:
    encoding = "utf-8"
    if _is_python(entry):
        try:
            encoding = encoding_of(new or old)
        except UnreadableSourceError:
            encoding = "utf-8"  # the error is told with the symbols
        encoding = encoding.removesuffix("-sig")  # the mark stands in the first line only
        if has_lone_return(old) or has_lone_return(new):
            return hunks_between(top, old, new, encoding)
    return hunks_of(entry.patch, encoding)


def _symbols(
    entry: Entry, hunks: tuple[Hunk, ...], old: bytes, new: bytes
) -> tuple[tuple[Symbol, ...], str | None]:
    """Return the changed symbols of the new side, and why they could not be read."""
    if entry.status == "U":
        return (), "has merge conflicts"
    if not _is_python(entry) or entry.is_link or entry.is_submodule or not entry.new_mode:
        return (), None
    if not hunks and not entry.is_binary:
        return (), None
    try:
        symbols = symbols_of(new)
    except UnreadableSourceError as error:
        return (), str(error)
    found = holding(symbols, (n for hunk in hunks for n in hunk.new_lines))
    found |= _shortened(symbols, hunks, old)
    return innermost_first(found), None


def _shortened(symbols: Sequence[Symbol], hunks: tuple[Hunk, ...], old: bytes) -> set[Symbol]:
    """Return the symbols that lost lines: those still there under the name they had."""
    removed = [n for hunk in hunks for n in hunk.old_lines]
    if not removed:
        return set()
    try:
        before = holding(symbols_of(old), removed)
    except UnreadableSourceError:
        return set()
    names = {symbol.qualname for symbol in before}
    survivors = {symbol.qualname for symbol in symbols}
    for name in names - survivors:  # what held a symbol that is gone has changed as well
        outer, _, _ = name.rpartition(".")
        names = names | {outer or MODULE}
    return {symbol for symbol in symbols if symbol.qualname in names}


def _messages(top: Path, ends: Ends) -> str:
    """Return the messages of the commits in between, the newest first."""
    head = "HEAD" if ends.head in (STAGED, WORKTREE) else ends.head
    span = head if ends.base in EMPTY_TREES else f"{ends.base}..{head}"
    options = (f"--max-count={MESSAGES}", "--encoding=UTF-8", "--no-show-signature")
    output = run(top, "log", *options, "--format=%B%x00", span, "--", check=False)
    if output.code:
        return ""  # before the first commit there is none
    texts = output.out.decode("utf-8", "replace").split("\0")
    return "\n\n".join(text.strip() for text in texts if text.strip())
