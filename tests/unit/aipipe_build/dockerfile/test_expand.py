"""Variable expansion: every modifier, quote and escape of BuildKit's lexer."""

from __future__ import annotations

import pytest

from aipipe_build.dockerfile.expand import Expander, ExpansionError

ENV = {"A": "one", "EMPTY": "", "P": "a/b.c.d", "1": "first", "S": "x y"}


@pytest.mark.parametrize(
    ("source", "expanded"),
    [
        ("plain", "plain"),
        ("$A", "one"),
        ("${A}", "one"),
        ("$A$A", "oneone"),
        ("$Ab", ""),
        ("${A}b", "oneb"),
        ("$NOPE", ""),
        ("$", "$"),
        ("a$-b", "ab"),
        ("$1x", "firstx"),
        ("\\$A", "$A"),
        ("\\\\$A", "\\one"),
        ("'$A'", "$A"),
        ('"$A"', "one"),
        ('"\\$A"', "$A"),
        ('"a\\b"', "a\\b"),
        ("a\\ b", "a b"),
        ("${NOPE:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NOPE-x}", "x"),
        ("${NOPE:-$A}", "one"),
        ("${NOPE:-${NOPE:-deep}}", "deep"),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NOPE+x}", ""),
        ("${A:?no}", "one"),
        ("${P#*.}", "c.d"),
        ("${P##*.}", "d"),
        ("${P%.*}", "a/b.c"),
        ("${P%%.*}", "a/b"),
        ("${P#nothing}", "a/b.c.d"),
        ("${P/./-}", "a/b-c.d"),
        ("${P//./-}", "a/b-c-d"),
        ("${P/\\//_}", "a_b.c.d"),
        ("${P//b*c/X}", "a/X.d"),
        ("${P%?}", "a/b.c."),
    ],
)
def test_a_word_is_expanded(source: str, expanded: str) -> None:
    assert Expander().word(source, ENV) == expanded


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("${", "missing '}'"),
        ("${A", "unsupported modifier"),
        ("${}", "bad substitution"),
        ("${A:", "modifier|missing"),
        ("${NOPE:?say}", "NOPE: say"),
        ("${NOPE?}", "not allowed to be unset"),
        ("${EMPTY:?}", "not allowed to be empty"),
        ("${A!x}", "unsupported modifier"),
        ("'open", "single-quote"),
        ('"open', "double-quote"),
    ],
)
def test_a_malformed_word_is_refused(source: str, message: str) -> None:
    with pytest.raises(ExpansionError, match=message):
        Expander().word(source, ENV)


def test_words_are_split_outside_quotes_after_expansion() -> None:
    assert Expander().words("a $S 'b c' \"$S\" d\\ e", ENV) == ["a", "x", "y", "b c", "x y", "d e"]


def test_raw_quotes_keep_the_quotes_and_skip_unset_keeps_the_reference() -> None:
    how = Expander(raw_quotes=True, skip_unset=True)
    assert how.word("'a' \"$A\" $NOPE ${NOPE:-x}", ENV) == "'a' \"one\" $NOPE ${NOPE:-x}"


def test_quotes_can_be_ordinary_text() -> None:
    assert Expander(skip_quotes=True).word("it's $A", ENV) == "it's one"


def test_the_backtick_escapes_when_the_file_says_so() -> None:
    assert Expander(escape="`").word("`$A \\$A", ENV) == "$A \\one"
