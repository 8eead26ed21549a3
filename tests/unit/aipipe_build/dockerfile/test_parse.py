"""The parser: what it makes of a Dockerfile, and that the text comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import parse_dockerfile, parse_trigger, trigger_expression

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction


def only(text: str) -> Instruction:
    """Return the one instruction after FROM."""
    (instruction,) = parse_dockerfile("FROM a\n" + text).stages[0].commands
    return instruction


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN x\n",
        "\ufeffFROM a\nRUN x",
        "# syntax=docker/dockerfile:1\n\n# c\nFROM a AS b\r\nRUN x && \\\r\n  y\r\n\r\n# end\r\n",
        "# escape=`\nFROM a\nRUN x `\n # c\n\n y\n",
        "FROM a\nCOPY <<A <<-B /x/\nA1\nA\n\tB1\n\tB\n   \n\n",
        "ARG v=1\nFROM a$v\nONBUILD RUN <<E\ntext\nE\n",
        "FROM a\nRUN \udcff\n",
    ],
)
def test_the_source_text_comes_back_unchanged(text: str) -> None:
    assert parse_dockerfile(text).text() == text


def test_continuations_are_joined_with_their_indentation() -> None:
    assert only("RUN a && \\\n    b\n").args == ("a &&     b",)


def test_comments_and_blank_lines_inside_a_continuation_do_not_count() -> None:
    assert only("RUN a \\\n# why\n   # indented\n\n  b\n").args == ("a   b",)


def test_a_doubled_escape_does_not_continue() -> None:
    stage = parse_dockerfile("FROM a\nRUN x \\\\\nRUN y\n").stages[0]
    assert [one.args for one in stage.commands] == [("x \\\\",), ("y",)]


def test_a_hash_inside_a_line_is_text() -> None:
    assert only("RUN echo # not a comment\n").args == ("echo # not a comment",)


def test_the_escape_directive_changes_the_continuation() -> None:
    dockerfile = parse_dockerfile("# escape=`\nFROM a\nRUN x `\n y\n")
    assert dockerfile.escape == "`"
    assert dockerfile.stages[0].commands[0].args == ("x  y",)


def test_a_directive_after_a_comment_is_a_comment() -> None:
    assert parse_dockerfile("# hello\n# escape=`\nFROM a\n").escape == "\\"


def test_an_unknown_escape_token_is_refused() -> None:
    with pytest.raises(DockerfileError, match="invalid escape token"):
        parse_dockerfile("# escape=x\nFROM a\n")


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a\n", "docker/dockerfile:1"),
        ("#syntax = x/y:1 --flag\nFROM a\n", "x/y:1"),
        ("# escape=\\\n# SYNTAX=z\nFROM a\n", "z"),
        ("# hello\n# syntax=x\nFROM a\n", ""),
        ("FROM a\n", ""),
    ],
)
def test_the_syntax_directive_is_found(text: str, syntax: str) -> None:
    assert parse_dockerfile(text).syntax == syntax


def test_flags_are_taken_off_the_front() -> None:
    copy = only("COPY --from=x --chown=1:2 --link a b /c/\n")
    assert copy.flags == ("--from=x", "--chown=1:2", "--link")
    assert copy.args == ("a", "b", "/c/")
    assert copy.flag("from") == "x"
    assert copy.flag_is_true("link")
    assert copy.flag("chmod") is None


def test_a_flag_may_be_quoted() -> None:
    run = only('RUN --mount="type=cache,target=/c" x\n')
    assert run.flags == ("--mount=type=cache,target=/c",)


def test_a_double_dash_ends_the_flags() -> None:
    assert only("RUN -- --x\n").args == ("--x",)


@pytest.mark.parametrize(
    ("text", "args", "json"),
    [
        ('RUN ["a", "b c"]', ("a", "b c"), True),
        ("RUN [ 'a' ]", ("[ 'a' ]",), False),
        ('RUN ["a"', ('["a"',), False),
        ('COPY ["a b", "/c"]', ("a b", "/c"), True),
        ("CMD echo  x", ("echo  x",), False),
        ('HEALTHCHECK --interval=5s CMD ["a", "b"]', ("CMD", "a", "b"), True),
        ("HEALTHCHECK NONE", ("NONE",), False),
    ],
)
def test_json_forms_are_told_from_text(text: str, args: tuple[str, ...], json: bool) -> None:
    instruction = only(text + "\n")
    assert (instruction.args, instruction.json) == (args, json)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("ENV a=1 b='2 3' c=\"4 5\"", ("a", "1", "b", "'2 3'", "c", '"4 5"')),
        ("ENV a b  c", ("a", "b  c")),
        ("ENV a=x\\ y", ("a", "x\\ y")),
        ("LABEL a.b=1", ("a.b", "1")),
        ("ARG a b=1", ("a", "b=1")),
        ("EXPOSE 80  81/udp", ("80", "81/udp")),
    ],
)
def test_words_and_pairs_are_split(text: str, args: tuple[str, ...]) -> None:
    assert only(text + "\n").args == args


def test_a_heredoc_keeps_its_content_and_its_quotes_decide_expansion() -> None:
    copy = only("COPY <<A <<'B' /x/\none\nA\n$two\nB\n")
    assert [(doc.name, doc.expand, doc.content) for doc in copy.heredocs] == [
        ("A", True, "one\n"),
        ("B", False, "$two\n"),
    ]


def test_a_chomped_heredoc_drops_leading_tabs() -> None:
    run = only("RUN <<-E\n\t\ta\n\tb\n\tE\n")
    assert run.heredocs[0].body == "a\nb\n"


def test_a_shift_operator_is_no_heredoc() -> None:
    assert only("RUN echo $((1<<2))\n").heredocs == ()


def test_an_unterminated_heredoc_is_refused_with_its_line() -> None:
    with pytest.raises(DockerfileError, match="unterminated heredoc") as caught:
        parse_dockerfile("FROM a\nRUN <<E\nx\n")
    assert caught.value.line == 2


def test_an_onbuild_hands_its_heredoc_on() -> None:
    onbuild = only("ONBUILD COPY <<E /x\none\nE\n")
    assert trigger_expression(onbuild) == "COPY <<E /x\none\nE"
    assert parse_trigger(trigger_expression(onbuild), line=7).heredocs[0].content == "one\n"


def test_stage_names_are_lower_case_and_lines_are_counted() -> None:
    dockerfile = parse_dockerfile("ARG v\nFROM a AS Build\nRUN x \\\n y\nFROM build\n")
    assert [stage.name for stage in dockerfile.stages] == ["build", ""]
    assert (dockerfile.stages[0].commands[0].start, dockerfile.stages[0].commands[0].end) == (3, 4)
    assert dockerfile.meta_args[0].args == ("v",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no instructions"),
        ("# only a comment\n", "no instructions"),
        ("RUN x\n", "before any build stage"),
        ("FROM\n", "one or three"),
        ("FROM a as\n", "one or three"),
        ("FROM a AS 1x\n", "invalid name"),
        ("FROM a\nRUNN x\n", "Did you mean RUN"),
        ("FROM a\nCOPY a\n", "at least two arguments"),
        ("FROM a\nCOPY --nope a b\n", "unknown flag"),
        ("FROM a\nCOPY --link=maybe a b\n", "boolean"),
        ("FROM a\nCOPY --from=a --from=b a b\n", "duplicate flag"),
        ("FROM a\nENV a\n", "two arguments"),
        ("FROM a\nENV a=1 b\n", "can't find ="),
        ("FROM a\nENV =1\n", "blank"),
        ("FROM a\nSHELL sh -c\n", "JSON form"),
        ("FROM a\nONBUILD FROM b\n", "isn't allowed"),
        ("FROM a\nONBUILD ONBUILD RUN x\n", "isn't allowed"),
        ("FROM a\nRUN [1]\n", "strings only"),
        ("FROM a\nWORKDIR\n", "exactly one argument"),
    ],
)
def test_what_buildkit_refuses_is_refused_with_a_message(text: str, message: str) -> None:
    with pytest.raises(DockerfileError, match=message):
        parse_dockerfile(text)
