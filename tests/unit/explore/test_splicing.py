from __future__ import annotations

from random import Random

from pytest_aipipe.explore.splicing import edited_text


def edited(text: str, count: int, **given: list[str]) -> list[str]:
    rng = Random(5)
    return [edited_text(text, rng, **given) for _ in range(count)]


def test_lines_of_one_text_are_put_into_another_as_lines() -> None:
    made = edited("[one]\nkey = 1", 300, texts=["[two]\n"])
    assert "[one]\nkey = 1\n[two]\n" in made
    assert "[two]\n[one]\nkey = 1" in made


def test_a_token_stands_beside_a_piece_or_in_its_place() -> None:
    made = edited("a = 1", 400, tokens=["WHILE"])
    assert "a = WHILE" in made
    assert "a = 1WHILE" in made


def test_an_empty_text_without_material_stays_a_text() -> None:
    assert all(isinstance(one, str) for one in edited("", 50))


def test_the_other_texts_of_a_test_are_taken_from_as_well() -> None:
    assert any("strange" in one for one in edited("a b", 300, own=["strange"]))


def test_what_is_taken_from_another_text_may_speak_of_this_ones_things() -> None:
    assert "fruit.size = 1\n[[fruit]]\n" in edited("fruit.size = 1", 900, texts=["[[shop]]\n"])


def test_a_word_of_a_text_takes_the_place_of_another_so_that_two_name_the_same() -> None:
    made = edited("[fruit]\napple = 1", 900, texts=["[[shop]]\n"])
    assert "[apple]\napple = 1" in made
    assert "[fruit]\nfruit = 1" in made
