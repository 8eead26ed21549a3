"""The commands of a RUN, with where each stands in the source text.

This is no shell: it knows quotes, ``&&``, ``;`` and continuations, and gives up (None) at
anything that could make a command mean something else.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aipipe_build.dockerfile.model import Instruction

_STRANGE = re.compile(
    r"\|\||(?<!\|)\|(?!\|)|`|\$\(|<<|(?<!&)&(?!&)|\b(?:if|for|while|case)\b|[(){}]"
)
_PIP = re.compile(r"(?:.*/)?pip3?(?:\.\d+)?")
_PYTHON = re.compile(r"(?:.*/)?python3?(?:\.\d+)?")
_APT = frozenset({"apt-get", "apt"})
_PIP_VALUES = frozenset(
    {
        "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url",
        "-f", "--find-links", "-t", "--target", "--prefix", "--root", "--trusted-host",
        "--timeout", "--retries", "--cert", "--platform", "--python-version", "--cache-dir",
        "--upgrade-strategy", "--progress-bar", "--no-binary", "--only-binary", "--proxy",
        "-e", "--editable", "--global-option", "--config-settings", "-C", "--root-user-action",
        "--src", "--report",
    }
)  # fmt: skip
_CACHES = re.compile(r"/(?:var/)?tmp/|(?:/root|~)/\.cache(?:/|$)|/var/(?:lib|cache)/apt/")
_APT_VALUES = frozenset({"-o", "-t", "--target-release", "-c"})


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One command between ``&&`` or ``;``: its words, and its text as written."""

    words: tuple[str, ...]
    text: str

    @property
    def is_pip_install(self) -> bool:
        """Whether pip installs something."""
        return bool(self.words) and "install" in _pip_words(self.words)[:1]

    @property
    def is_apt(self) -> bool:
        """Whether it is apt or apt-get."""
        return bool(self.words) and _program(self.words) in _APT

    @property
    def apt_verb(self) -> str:
        """``update``, ``install``, ... of apt; "" for other programs."""
        if not self.is_apt:
            return ""
        return next(iter(_plain_words(self.words[_program_at(self.words) + 1 :], _APT_VALUES)), "")

    @property
    def apt_packages(self) -> tuple[str, ...]:
        """What ``apt-get install`` is asked for, versions cut off."""
        if self.apt_verb != "install":
            return ()
        words = _plain_words(self.words[_program_at(self.words) + 1 :], _APT_VALUES)
        return tuple(re.split("[=/]", word)[0] for word in words[1:])

    @property
    def pip_files(self) -> tuple[str, ...]:
        """The files that ``pip install`` reads: ``-r`` and ``-c``."""
        return _option_values(_pip_words(self.words), {"-r", "--requirement", "-c", "--constraint"})

    @property
    def pip_targets(self) -> tuple[str, ...]:
        """What ``pip install`` is asked for by name or path, ``-e`` included."""
        words = _pip_words(self.words)
        plain = tuple(_plain_words(words[1:], _PIP_VALUES))
        return (*plain, *_option_values(words, {"-e", "--editable"}))

    @property
    def cleans_lists(self) -> bool:
        """Whether it removes apt's lists."""
        return self.words[:1] == ("rm",) and any("/var/lib/apt/lists" in w for w in self.words)

    @property
    def cleans_caches(self) -> bool:
        """Whether it removes temporary files and what pip has fetched, and nothing else."""
        paths = [word for word in self.words[1:] if not word.startswith("-")]
        return self.words[:1] in (("rm",), ("true",)) and all(map(_CACHES.match, paths))

    @property
    def names_paths(self) -> bool:
        """Whether any word looks like a file of the context."""
        return any(
            word.startswith((".", "/")) or word.endswith((".txt", ".toml", ".py", ".cfg"))
            for word in (*self.pip_targets, *self.pip_files)
        )


def commands_of(instruction: Instruction) -> tuple[ShellCommand, ...] | None:
    """Return the commands of a shell-form RUN in their order; None where that is not sure."""
    if instruction.keyword != "RUN" or instruction.json or instruction.heredocs:
        return None
    text = instruction.rest
    if ";" in _unquoted(text) or _STRANGE.search(_unquoted(text)):
        return None
    found: list[ShellCommand] = []
    for piece in split_at_and(text):
        try:
            words = shlex.split(piece, comments=False)
        except ValueError:
            return None
        if not words:
            return None
        found.append(ShellCommand(tuple(words), piece.strip()))
    return tuple(found)


def split_at_and(text: str) -> list[str]:
    """Split at ``&&`` outside quotes."""
    pieces, quote, start, at = [], "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif text.startswith("&&", at):
            pieces.append(text[start:at])
            at += 2
            start = at
            continue
        elif char == "\\":
            at += 1
        at += 1
    return [*pieces, text[start:]]


def join_lines(commands: Iterable[str], *, flags: Iterable[str] = (), indent: str = "    ") -> str:
    """Return a RUN with a command a line, as people write it."""
    given = list(flags)
    lines = list(commands)
    head = "RUN " + "".join(f"{flag} \\\n{indent}" for flag in given)
    return head + f" \\\n{indent}&& ".join(lines)


def _unquoted(text: str) -> str:
    return re.sub(
        r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", lambda m: '""' if "$(" not in m[0] else m[0], text
    )


def _program_at(words: tuple[str, ...]) -> int:
    """Return where the program stands: behind variables and ``env``, ``sudo``, ``exec``."""
    at = 0
    while at < len(words) - 1 and (
        re.match(r"[A-Za-z_]\w*=", words[at]) or words[at] in ("env", "sudo", "exec")
    ):
        at += 1
    return at


def _program(words: tuple[str, ...]) -> str:
    return words[_program_at(words)].rpartition("/")[2]


def _pip_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words after ``pip``, its own options skipped; () for other programs."""
    if not words:
        return ()
    rest = words[_program_at(words) :]
    if _PYTHON.fullmatch(rest[0]) and rest[1:3] == ("-m", "pip"):
        rest = rest[3:]
    elif _PIP.fullmatch(rest[0]):
        rest = rest[1:]
    else:
        return ()
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    return rest


def _plain_words(words: tuple[str, ...], values: frozenset[str]) -> list[str]:
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in values
        else:
            found.append(word)
    return found


def _option_values(words: tuple[str, ...], names: set[str]) -> tuple[str, ...]:
    found: list[str] = []
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names and equals:
            found.append(value)
        elif word in names and at + 1 < len(words):
            found.append(words[at + 1])
        elif word[:2] in names and len(word) > 2 and not word.startswith("--"):  # noqa: PLR2004
            found.append(word[2:])
    return tuple(found)
