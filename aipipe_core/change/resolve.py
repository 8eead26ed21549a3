"""From a SPEC to two ends: which commit is the base, and what is the head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.change.git import Output, run
from aipipe_core.change.spec import WORKTREE, Mode, Spec
from aipipe_core.errors import AipipeError, RequestError, SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path

EMPTY_TREES = frozenset(
    {
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    }
)
"""The hash of a tree without files, in SHA-1 and in SHA-256 repositories."""

_FIRST_PARENT = re.compile(r"(?P<child>.+?)(\^1?|~1?)$")


@dataclass(frozen=True, slots=True)
class Ends:
    """``base`` is a commit's hash or the empty tree's; ``head`` a hash, staged or worktree."""

    base: str
    head: str


def resolve(top: Path, spec: Spec, *, default_branch: str | None = None) -> Ends:
    """Return the two ends that ``spec`` names in the repository at ``top``.

    Raises ``RequestError`` (``unknown-revision``, ``ambiguous-revision``,
    ``unknown-default-branch``, ``no-merge-base``) and ``SurroundingsError``
    (``shallow-clone``), whose hint is the fetch to do.
    """
    if spec.mode is Mode.DEFAULT:
        return Ends(_default_base(top, default_branch), WORKTREE)
    if spec.mode in (Mode.STAGED, Mode.WORKTREE):
        return Ends(head_commit(top) or empty_tree(top), str(spec.mode))
    if spec.mode is Mode.SINCE:
        return Ends(commit(top, spec.old), WORKTREE)
    old, new = commit(top, spec.old), commit(top, spec.new)
    if spec.mode is Mode.MERGE_BASE:
        old = merge_base(top, old, new, names=(spec.old, spec.new))
    return Ends(old, new)


def empty_tree(top: Path) -> str:
    """Return the empty tree's hash in this repository's own hash function."""
    return run(top, "hash-object", "-t", "tree", "--stdin").text


def head_commit(top: Path) -> str | None:
    """Return HEAD's commit, or None before the first commit."""
    output = run(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
    return output.text if output.code == 0 else None


def is_shallow(top: Path) -> bool:
    """Whether history was cut off by ``git clone --depth``."""
    return run(top, "rev-parse", "--is-shallow-repository").text == "true"


def commit(top: Path, revision: str) -> str:
    """Return the full hash that ``revision`` names.

    The empty tree's hash stands for itself, and the parent of a first commit is the empty
    tree, so that ``X^..X`` works for every commit X.
    """
    if revision in EMPTY_TREES:
        return revision
    output = _verify(top, revision)
    if re.search(r"refname '.*' is ambiguous|is ambiguous$", output.err, re.MULTILINE):
        raise RequestError(
            "ambiguous-revision",
            f"{revision!r} can mean more than one thing here",
            where=str(top),
            hint="Write refs/heads/NAME, refs/tags/NAME, or more digits of the hash.",
        )
    if output.code == 0:
        return output.text
    return _before_the_first(top, revision)


def _verify(top: Path, revision: str) -> Output:
    return run(
        top, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", check=False
    )


def _before_the_first(top: Path, revision: str) -> str:
    """Return the empty tree when ``revision`` is a first commit's parent; else an error."""
    if is_shallow(top):
        raise shallow(top, f"{revision!r} is not in this clone, whose history was cut off")
    match = _FIRST_PARENT.fullmatch(revision)
    if match and _verify(top, match["child"]).code == 0:
        return empty_tree(top)
    raise RequestError(
        "unknown-revision",
        f"{revision!r} names no commit",
        where=str(top),
        hint="See what there is with: git log --oneline --all.",
    )


def shallow(top: Path, what: str, branch: str = "") -> SurroundingsError:
    """Return the error for a clone that is too shallow; its hint is the exact fetch."""
    remote = remotes(top)[0] if remotes(top) else "origin"
    refs = f" {branch}:refs/remotes/{remote}/{branch}" if branch else ""
    return SurroundingsError(
        "shallow-clone",
        what,
        where=str(top),
        hint=f"Run: git fetch --unshallow {remote}{refs} "
        f"(or, for a part of it: git fetch --deepen=100 {remote}{refs}).",
    )


def merge_base(top: Path, old: str, new: str, *, names: tuple[str, str]) -> str:
    """Return the best common ancestor of two commits; an error where there is none."""
    output = run(top, "merge-base", old, new, check=False)
    if output.code == 0:
        return output.text.splitlines()[0]
    if is_shallow(top):
        raise shallow(top, f"The common ancestor of {names[0]} and {names[1]} was cut off")
    raise RequestError(
        "no-merge-base",
        f"{names[0]} and {names[1]} have no common history",
        where=str(top),
        hint="Name the revision to compare with, as REV or A..B.",
    )


def remotes(top: Path) -> list[str]:
    """Return the remotes' names: origin first, then the current branch's own."""
    names = run(top, "remote").text.split()
    branch = run(top, "symbolic-ref", "--quiet", "--short", "HEAD", check=False).text
    own = run(top, "config", f"branch.{branch}.remote", check=False).text if branch else ""
    return sorted(names, key=lambda name: (name != "origin", name != own, name))


def _default_base(top: Path, wanted: str | None) -> str:
    head = head_commit(top)
    if head is None:
        return empty_tree(top)
    name = default_ref(top, wanted)
    if name is None:
        return head
    other = commit(top, name)
    base = merge_base(top, other, head, names=(name, "HEAD"))
    if base == head and not name.startswith("refs/remotes/"):
        return _upstream_base(top, head)
    return base


def _upstream_base(top: Path, head: str) -> str:
    """Return where HEAD left its upstream; HEAD itself where it follows nothing."""
    upstream = run(top, "rev-parse", "--verify", "--quiet", "HEAD@{upstream}^{commit}", check=False)
    if upstream.code:
        return head
    try:
        return merge_base(top, upstream.text, head, names=("the upstream", "HEAD"))
    except AipipeError:
        return head


def default_ref(top: Path, wanted: str | None = None) -> str | None:
    """Return the full name of the ref that changes are compared with.

    ``wanted`` if given, else the remote's HEAD, main, master, ``init.defaultBranch``, on the
    remote before here: a local copy may be old. None where the only branch is the current
    one, so that there is nothing else to compare with.
    """
    known = set(run(top, "for-each-ref", "--format=%(refname)").text.splitlines())
    if wanted:
        return _wanted_ref(top, wanted, known)
    sources = remotes(top)
    heads = [f"refs/remotes/{remote}/HEAD" for remote in sources]
    initial = run(top, "config", "init.defaultBranch", check=False).text
    names = [name for name in ("main", "master", initial) if name]
    candidates = heads + [f"refs/remotes/{remote}/{name}" for name in names for remote in sources]
    candidates += [f"refs/heads/{name}" for name in names]
    for candidate in candidates:
        if (
            candidate in known
            and run(top, "rev-parse", "--verify", "--quiet", candidate, check=False).code == 0
        ):
            return candidate
    if not _is_alone(top, known):
        raise _unknown_default(top, "No default branch could be found")
    return None


def _wanted_ref(top: Path, wanted: str, known: set[str]) -> str:
    candidates = [f"refs/remotes/{remote}/{wanted}" for remote in remotes(top)]
    candidates += [f"refs/heads/{wanted}", f"refs/remotes/{wanted}", wanted]
    for candidate in candidates:
        if candidate in known:
            return candidate
    if is_shallow(top):
        raise shallow(top, f"The default branch {wanted!r} is not in this clone", wanted)
    raise _unknown_default(top, f"The default branch {wanted!r} does not exist here")


def _is_alone(top: Path, known: set[str]) -> bool:
    """Whether nothing but the current branch exists: there is no other one to leave from."""
    branches = {name for name in known if name.startswith(("refs/heads/", "refs/remotes/"))}
    current = run(top, "symbolic-ref", "--quiet", "HEAD", check=False).text
    if not branches <= {current} and is_shallow(top):
        raise shallow(top, "The default branch is not in this clone", "main")
    return branches <= {current}


def _unknown_default(top: Path, what: str) -> RequestError:
    return RequestError(
        "unknown-default-branch",
        what,
        where=str(top),
        hint="Name a revision to compare with, or set default_branch in [tool.aipipe].",
    )
