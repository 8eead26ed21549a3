"""COPY and ADD: sources, destination, options, and what of the sources counts."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from aipipe_build.context.digest import Selector, make_selector
from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.expand import Expander, ExpansionError
from aipipe_build.dockerfile.heredoc import parse_heredoc
from aipipe_build.keys.model import Input, Source, Vertex
from aipipe_build.keys.paths import absolute, copy_destination, owner

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Heredoc, Instruction
    from aipipe_build.keys.making import Making
    from aipipe_build.keys.stages import StageNode
    from aipipe_build.keys.state import StageState

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BODY = Expander(skip_quotes=True)


class _Copying:
    """One COPY or ADD while its sources are gathered."""

    def __init__(
        self,
        making: Making,
        state: StageState,
        instruction: Instruction,
        source: StageNode | None,
    ) -> None:
        self.making = making
        self.state = state
        self.instruction = instruction
        self.source = source
        self.line = instruction.start
        self.actions: list[Any] = []
        self.selectors: list[Selector] = []
        self.others: list[Input] = []
        excludes = instruction.flag_values("exclude")
        self.excludes = tuple(self.expand(pattern) for pattern in excludes)

    def expand(self, word: str) -> str:
        return self.making.expand(word, self.state, self.line)

    def flag(self, name: str) -> str:
        value = self.instruction.flag(name) or ""
        return self.expand(value)

    def local(self, path: str) -> None:
        """Take a path of the context or of the stage."""
        include: tuple[str, ...] = ()
        if self.instruction.flag_is_true("parents"):
            pivot, found, pattern = path.partition("/./")
            path, pattern = (pivot, pattern) if found else ("/", path)
            include = (absolute("/", pattern).lstrip("/"),)
        cleaned = absolute("/", path)
        self.selectors.append(
            make_selector(cleaned, wildcards=True, include=include, exclude=self.excludes)
        )
        # Where the source lies counts by its content alone; its last name counts as such.
        self.actions.append(("path", posixpath.basename(cleaned) or "/", include, self.excludes))

    def url(self, url: str) -> None:
        """Take what a URL serves: keyed by its bytes, or by the checksum that is demanded."""
        name = posixpath.basename(_url_path(url).rstrip("/")) or "__unnamed__"
        checksum = self.flag("checksum")
        digest = checksum or self.making.downloads.digest(url)
        self.actions.append(("url", name))
        if digest:
            self.others.append(Input(content=f"url {digest}"))
            return
        reason = f"nobody could tell what {url} serves now"
        vertex = Vertex(Source.HTTP, (url,), uncertain=reason)
        self.others.append(Input(vertex, by_content=True))

    def git(self, source: str) -> None:
        """Take a git repository; only a full commit hash says what it holds."""
        remote, _, fragment = source.partition("#")
        commit = fragment.partition(":")[0]
        pinned = _COMMIT.fullmatch(commit)
        reason = "" if pinned else f"nobody could tell what {source} points to now"
        keep = self.instruction.flag_is_true("keep-git-dir")
        vertex = Vertex(Source.GIT, (remote, fragment, keep), uncertain=reason)
        self.others.append(Input(vertex, by_content=True))
        self.actions.append(("git", "/"))

    def document(self, word: Heredoc) -> None:
        """Take a here-document that stands in the instruction."""
        docs = {doc.name: doc for doc in self.instruction.heredocs}
        doc = docs.get(word.name, word)
        body = doc.body
        if word.expand:
            try:
                body = _BODY.word(body, self.state.env)
            except ExpansionError as error:
                raise DockerfileError(str(error), line=self.line) from error
        self.actions.append(("document", posixpath.basename(word.name)))
        self.others.append(Input(content=f"document {body}"))

    def inputs(self) -> list[Input]:
        """Return the source inputs, the context's or stage's first."""
        found: list[Input] = []
        if self.selectors:
            if self.source is None:
                found.append(self.making.context_input("", self.selectors))
            else:
                found.append(self.making.stage_input(self.source, self.selectors))
        return found + self.others


def dispatch_copy(
    making: Making, state: StageState, instruction: Instruction, source: StageNode | None
) -> None:
    """Put a COPY or an ADD on top of ``state``."""
    copying = _Copying(making, state, instruction, source)
    destination = copying.expand(instruction.args[-1])
    documents: list[Heredoc] = []
    for argument in instruction.args[:-1]:
        document = None if instruction.json else parse_heredoc(argument)
        if document:
            documents.append(document)
            continue
        path = copying.expand(argument)
        if instruction.keyword == "ADD" and _is_git(path):
            copying.git(path)
        elif path.startswith(("http://", "https://")):
            if instruction.keyword != "ADD":
                raise DockerfileError("source can't be a URL for COPY", line=instruction.start)
            copying.url(path)
        else:
            copying.local(path)
    for document in documents:
        copying.document(document)
    op = _op(copying, destination)
    linked = making.merges and instruction.flag_is_true("link") and not instruction.flag("chmod")
    base = () if state.vertex is None else (Input(state.vertex),)
    own = () if linked else base
    vertex = Vertex("copy", op, (*own, *copying.inputs()), ignore_cache=state.ignore_cache)
    making.add_step(state, instruction, _shown(making, state, instruction), vertex)
    if linked and base:
        # The merge is no line of its own, but what follows stands on it.
        vertex = Vertex("merge", (), (*base, Input(vertex)), ignore_cache=state.ignore_cache)
    state.vertex = vertex


def _op(copying: _Copying, destination: str) -> tuple[Any, ...]:
    instruction = copying.instruction
    chown = owner(copying.flag("chown"))
    return (
        ("keyword", instruction.keyword),
        ("sources", tuple(copying.actions)),
        ("destination", copy_destination(copying.state.directory, destination)),
        ("chown", chown),
        ("chmod", _mode(copying.flag("chmod"))),
        ("unpack", instruction.flag("unpack")),
        ("scratch", copying.state.vertex is None),
    )


def _mode(text: str) -> str:
    """Return the mode of ``--chmod`` as a number; what is none is ignored by older builders."""
    try:
        return f"{int(text, 8):o}" if text else ""
    except ValueError:
        return text


def _is_git(source: str) -> bool:
    if source.startswith(("git://", "ssh://", "git@")):
        return True
    if source.startswith(("http://", "https://")):
        return _url_path(source).endswith(".git")
    return False


def _url_path(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).path


def _shown(making: Making, state: StageState, instruction: Instruction) -> str:
    try:
        return making.expander.word(instruction.code, state.env)
    except ExpansionError:
        return instruction.code


def dispatch_workdir(making: Making, state: StageState, instruction: Instruction) -> None:
    """Enter a folder and make it: a step of its own, but for the root folder."""
    path = making.expand(instruction.args[0], state, instruction.start)
    # RUN's key holds the folder as it is written, the step that makes it the cleaned one.
    state.working_dir = path if path.startswith("/") else absolute(state.directory, path)
    if state.working_dir == "/":
        return
    op = (("folder", absolute("/", state.working_dir)), ("owner", owner(state.user)))
    base = () if state.vertex is None else (Input(state.vertex),)
    state.vertex = Vertex("workdir", op, base)
    making.add_step(state, instruction, _shown(making, state, instruction), state.vertex)
