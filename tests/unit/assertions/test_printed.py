from __future__ import annotations

from pytest_aipipe.assertions.printed import listening, on_output, without_idle_capsys
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.model import Candidate, Outcome


def made(function: str) -> Candidate:
    return Candidate(technique="construct", name="test_it", function=function)


def seen(out: str = "", err: str = "") -> Trialed:
    return Trialed(Outcome("passed"), stdout=out, stderr=err)


def test_a_test_that_printed_listens_to_both_streams_at_once() -> None:
    heard = listening(made("def test_it(tmp_path):\n    main()\n"), seen(err="wrong\n"))

    assert heard.function == "def test_it(tmp_path, capsys):\n    main()\n"
    assert heard.observe == ("capsys.readouterr()",)


def test_what_is_silent_or_different_at_every_run_is_not_listened_to() -> None:
    candidate = made("def test_it():\n    main()\n")

    assert listening(candidate, seen()) is candidate
    assert listening(candidate, seen(out="<object at 0x7f0011223344>\n")) is candidate
    assert listening(candidate, seen(out="x" * 500)) is candidate


def test_a_capsys_that_nothing_reads_is_taken_away() -> None:
    for arguments, left in (
        ("capsys", ""),
        ("tmp_path, capsys", "tmp_path"),
        ("capsys, tmp_path", "tmp_path"),
    ):
        tidy = without_idle_capsys(made(f"def test_it({arguments}):\n    assert main() == 0\n"))
        assert tidy.function == f"def test_it({left}):\n    assert main() == 0\n"


def test_a_capsys_that_is_read_stays() -> None:
    source = 'def test_it(capsys):\n    main()\n    assert capsys.readouterr().out == "x"\n'

    assert without_idle_capsys(made(source)).function == source


def test_a_test_of_which_the_print_is_all_there_is_asserts_the_print() -> None:
    told = on_output(made("def test_it():\n    main()\n"), seen(out="done\n"))

    assert told.function == (
        'def test_it(capsys):\n    main()\n\n    assert capsys.readouterr().out == "done\\n"\n'
    )
