"""A Dockerfile while it is changed: what is not touched stays to the letter."""

from __future__ import annotations

import pytest

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.optimise.edit import Draft, split_leading
from aipipe_build.optimise.replay import Replay, Row, Side, salted

TEXT = (
    "\ufeff# syntax=docker/dockerfile:1\n# a licence\n\nfrom scratch\n\n"
    "  # about a\nCOPY a \\\n  # inside\n  /a\n\n# a section\n\nCOPY b /b  \n# the end"
)


@pytest.fixture
def draft() -> Draft:
    return Draft(parse_dockerfile(TEXT))


def test_untouched_text_comes_back_as_it_was(draft: Draft) -> None:
    assert draft.text() == TEXT


def test_a_comment_goes_with_its_instruction_and_a_section_stays() -> None:
    dockerfile = parse_dockerfile(TEXT)
    draft = Draft(dockerfile)
    _, a, b = dockerfile.instructions
    draft.move_after(a, b)
    assert draft.text() == (
        "\ufeff# syntax=docker/dockerfile:1\n# a licence\n\nfrom scratch\n\n\n# a section\n\n"
        "COPY b /b  \n\n  # about a\nCOPY a \\\n  # inside\n  /a\n# the end"
    )


def test_what_is_put_in_has_the_files_own_line_ends() -> None:
    dockerfile = parse_dockerfile("FROM a\r\nCMD x")
    draft = Draft(dockerfile)
    draft.insert_after(dockerfile.instructions[0], "RUN a \\\n  b")
    draft.append("USER u")
    assert draft.text() == "FROM a\r\nRUN a \\\r\n  b\r\nCMD x\r\nUSER u\r\n"


def test_the_first_instruction_keeps_what_is_above_it() -> None:
    dockerfile = parse_dockerfile("# syntax=x\n# licence\nFROM a\nRUN b\n")
    draft = Draft(dockerfile)
    draft.insert_before(dockerfile.instructions[0], "ARG V=1")
    assert draft.text() == "# syntax=x\n# licence\nARG V=1\nFROM a\nRUN b\n"


def test_only_the_comment_right_above_is_attached() -> None:
    assert split_leading("# far\n\n# near\n") == ("# far\n\n", "# near\n")
    assert split_leading("\n") == ("\n", "")
    assert split_leading("# near\n") == ("", "# near\n")


def test_each_stage_of_a_replay_begins_with_a_layer_of_its_own() -> None:
    text = "FROM a AS one\nRUN x\nFROM one\nFROM scratch\nCOPY . /\n"
    assert salted(text) == (
        "FROM a AS one\nCOPY --from=aipipe-salt salt /.aipipe-salt\nRUN x\nFROM one\n"
        "FROM scratch\nCOPY --from=aipipe-salt salt /.aipipe-salt\nCOPY . /\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "slower"), [(10.0, 9.0, False), (10.0, 11.0, False), (10.0, 20.0, True)]
)
def test_only_what_is_clearly_slower_is_called_so(
    before: float, after: float, slower: bool
) -> None:
    row = Row("c", Side(before, 1, 1, 2), Side(after, 1, 1, 2))
    assert Replay([row, row]).slower is slower
    assert not Replay().slower
