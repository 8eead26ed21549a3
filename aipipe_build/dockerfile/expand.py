"""Variable expansion as BuildKit's shell lexer does it.

Not a shell: a handful of ``${...}`` forms, two kinds of quotes, one escape character. The
quirks are part of the contract, because the expanded words end up in cache keys and in the
text that the progress output shows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.text import is_space
from aipipe_build.light import field, light

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL_PARAMETERS = frozenset("@*#?-$!0")
_END = ""


class ExpansionError(ValueError):
    """The word cannot be expanded; BuildKit refuses it too."""


@light(frozen=True)
class Expander:
    """How words are expanded.

    ``raw_quotes`` keeps quotes, ``raw_escapes`` keeps the escape character,
    ``skip_quotes`` treats quotes as ordinary text, ``skip_unset`` leaves a reference to an
    unset variable as it stands.
    """

    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    skip_quotes: bool = False
    skip_unset: bool = False

    def word(self, source: str, env: Mapping[str, str]) -> str:
        """Expand ``source`` to one word. Raises :class:`ExpansionError`."""
        return self._read(source, env)[0]

    def words(self, source: str, env: Mapping[str, str]) -> list[str]:
        """Expand ``source`` and split it at spaces outside quotes."""
        return self._read(source, env)[1]

    def _read(self, source: str, env: Mapping[str, str]) -> tuple[str, list[str]]:
        reader = _Reader(self, env, source)
        try:
            return reader.until(_END, raw_escapes=self.raw_escapes)
        except ExpansionError as error:
            raise ExpansionError(f"failed to process {source!r}: {error}") from error


@light()
class _Words:
    """Collects the words of a text while its characters go by."""

    word: str = ""
    done: list[str] = field(default_factory=list)
    inside: bool = False

    def add(self, text: str) -> None:
        for char in text:
            if is_space(char) and self.inside:
                if self.word:
                    self.done.append(self.word)
                    self.word = ""
                    self.inside = False
            elif not is_space(char):
                self.add_raw(char)

    def add_raw(self, text: str) -> None:
        self.word += text
        self.inside = True

    def finish(self) -> list[str]:
        if self.word:
            self.done.append(self.word)
        return self.done


class _Reader:
    """One pass over one source."""

    def __init__(self, how: Expander, env: Mapping[str, str], source: str) -> None:
        self.how = how
        self.env = env
        self.source = source
        self.at = 0
        self.raw_escapes = how.raw_escapes

    def peek(self) -> str:
        return self.source[self.at] if self.at < len(self.source) else _END

    def next(self) -> str:
        char = self.peek()
        self.at += 1 if char else 0
        return char

    def until(self, stop: str, *, raw_escapes: bool) -> tuple[str, list[str]]:
        """Read up to ``stop`` (or the end), which is consumed."""
        before, self.raw_escapes = self.raw_escapes, raw_escapes
        try:
            return self._until(stop)
        finally:
            self.raw_escapes = before

    def _until(self, stop: str) -> tuple[str, list[str]]:
        result: list[str] = []
        words = _Words()
        while char := self.peek():
            if stop and char == stop:
                self.next()
                return "".join(result), words.finish()
            if char == "$":
                text = self.dollar()
                words.add(text)
            elif char in "'\"" and not self.how.skip_quotes:
                text = self.single() if char == "'" else self.double()
                words.add_raw(text)
            else:
                text = self.plain(words)
            result.append(text)
        if stop:
            raise ExpansionError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(result), words.finish()

    def plain(self, words: _Words) -> str:
        char = self.next()
        if char != self.how.escape:
            words.add(char)
            return char
        kept = char if self.raw_escapes else ""
        if kept:
            words.add_raw(char)
        escaped = self.next()
        if escaped:
            words.add_raw(escaped)
        return kept + escaped

    def single(self) -> str:
        quote = self.next() if self.how.raw_quotes else self.next()[:0]
        end = self.source.find("'", self.at)
        if end < 0:
            raise ExpansionError(
                "unexpected end of statement while looking for matching single-quote"
            )
        text = self.source[self.at : end]
        self.at = end + 1
        return quote + text + quote

    def double(self) -> str:
        quote = self.next() if self.how.raw_quotes else self.next()[:0]
        result = [quote]
        while True:
            char = self.peek()
            if not char:
                raise ExpansionError(
                    "unexpected end of statement while looking for matching double-quote"
                )
            if char == '"':
                self.next()
                result.append(quote)
                return "".join(result)
            if char == "$":
                result.append(self.dollar())
                continue
            self.next()
            if char == self.how.escape:
                if self.raw_escapes:
                    result.append(char)
                following = self.peek()
                if not following:
                    continue
                if following in ('"', "$", self.how.escape):
                    char = self.next()
            result.append(char)

    def dollar(self) -> str:
        self.next()
        if self.peek() != "{":
            name = self.name()
            if not name:
                return "$"
            if name not in self.env and self.how.skip_unset:
                return "$" + name
            return self.env.get(name, "")
        self.next()
        if self.peek() == _END:
            raise ExpansionError("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise ExpansionError("syntax error: bad substitution")
        return self.braced(self.name())

    def braced(self, name: str) -> str:
        operator = self.next()
        if operator == "}":
            if name not in self.env and self.how.skip_unset:
                return f"${{{name}}}"
            return self.env.get(name, "")
        if operator == "/":
            return self.replacement(name)
        null_is_unset = operator == ":"
        shown = operator
        if null_is_unset:
            operator = self.next()
            shown += operator
        # BuildKit lets any character stand after a colon and only then refuses it.
        if operator not in ("+", "-", "?", "#", "%") and not null_is_unset:
            raise ExpansionError(f"unsupported modifier ({shown}) in substitution")
        word = self.operand("}", raw_escapes=operator in ("#", "%"))
        if name not in self.env and self.how.skip_unset:
            return f"${{{name}{shown}{word}}}"
        return self.modified(name, operator, shown, word, null_is_unset=null_is_unset)

    def operand(self, stop: str, *, raw_escapes: bool) -> str:
        try:
            return self.until(stop, raw_escapes=raw_escapes)[0]
        except ExpansionError:
            if self.peek() == _END:
                raise ExpansionError(f"syntax error: missing '{stop}'") from None
            raise

    def modified(
        self, name: str, operator: str, shown: str, word: str, *, null_is_unset: bool
    ) -> str:
        value = self.env.get(name, "")
        absent = name not in self.env or (null_is_unset and not value)
        match operator:
            case "-":
                return word if absent else value
            case "+":
                return "" if absent else word
            case "?":
                if absent:
                    unset = name not in self.env
                    message = word or f"is not allowed to be {'unset' if unset else 'empty'}"
                    raise ExpansionError(f"{name}: {message}")
                return value
            case "#" | "%":
                return _trimmed(value, word, operator)
            case _:
                raise ExpansionError(f"unsupported modifier ({shown}) in substitution")

    def replacement(self, name: str) -> str:
        everywhere = self.peek() == "/"
        if everywhere:
            self.next()
        pattern = self.operand("/", raw_escapes=True)
        new = self.operand("}", raw_escapes=True)
        if name not in self.env and self.how.skip_unset:
            return f"${{{name}/{pattern}/{new}}}"
        value = self.env.get(name, "")
        regex = _regex(pattern, greedy=True, anchored=False)
        return regex.sub(lambda _: new, value, count=0 if everywhere else 1)

    def name(self) -> str:
        start = self.at
        first = self.peek()
        if first.isdecimal():
            while self.peek().isdecimal():
                self.next()
        elif first and first in _SPECIAL_PARAMETERS:
            self.next()
        else:
            while (char := self.peek()) and (char.isalpha() or char.isdecimal() or char == "_"):
                self.next()
        return self.source[start : self.at]


def _trimmed(value: str, word: str, operator: str) -> str:
    """Remove the shortest match at an end, or with the operator doubled the longest."""
    greedy = word.startswith(operator)
    pattern = word[1:] if greedy else word
    if operator == "#":
        found = _regex(pattern, greedy=greedy, anchored=True).search(value)
        return value[found.end() :] if found else value
    # The shortest match at the right end is the shortest at the left end of it all reversed.
    backwards = value[::-1]
    found = _regex(_reversed_pattern(pattern), greedy=greedy, anchored=True).search(backwards)
    return backwards[found.end() :][::-1] if found else value


def _regex(pattern: str, *, greedy: bool, anchored: bool) -> re.Pattern[str]:
    star = ".*" if greedy else ".*?"
    out = ["^" if anchored else ""]
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            out.append(star)
        elif char == "?":
            out.append(".")
        elif char == "\\":
            following = pattern[position : position + 1]
            if following in ("}", "/"):
                continue  # escaped for the sake of ${...}; the escape is not of the pattern
            if following not in ("*", "?", "\\") or not following:
                raise ExpansionError(f"invalid pattern ({pattern}) in substitution")
            out.append("\\" + following)
            position += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out))


def _reversed_pattern(pattern: str) -> str:
    tokens: list[str] = []
    position = 0
    while position < len(pattern):
        width = 2 if pattern[position] == "\\" and position + 1 < len(pattern) else 1
        tokens.append(pattern[position : position + width])
        position += width
    return "".join(reversed(tokens))
