"""Products, tags, folders."""

import json
from unittest import mock

import pytest

from shop import catalog, config
from shop.catalog import Product


@pytest.fixture
def shelf():
    return [
        Product("tea", 3, ["hot", "green"]),
        Product("mug", 7, ["hot"]),
    ]


def test_register_adds():
    catalog.register(Product("pen", 1))
    assert "pen" in catalog.all_names()


def test_starts_empty():
    assert catalog.all_names() == []


def test_products_are_counted():
    Product("a", 1)
    Product("b", 1)
    assert Product.count == 2


def test_tags_in_order(shelf):
    assert catalog.tags_of(shelf) == ["hot", "green"]


def test_label(shelf):
    assert catalog.label(shelf[0]) == "hot, green"


def test_first_tag(shelf):
    assert list(shelf[0].tags)[0] == "hot"


def test_shard():
    assert catalog.shard_of("tea", 4) == catalog.shard_of("mug", 4)


def test_category_keys(shelf):
    assert list(catalog.categories(shelf)) == ["green", "hot"]


def test_tags_sorted(shelf):
    assert sorted(catalog.tags_of(shelf)) == ["green", "hot"]


def test_tags_as_set(shelf):
    assert set(catalog.tags_of(shelf)) == {"hot", "green"}


def test_categories(shelf):
    assert catalog.categories(shelf)["hot"] == ["mug", "tea"]


def test_tag_count(shelf):
    assert len(catalog.tags_of(shelf)) == 2


def test_tax_in_europe():
    assert catalog.tax_rate("de") == 0.19


def test_tax_elsewhere(monkeypatch):
    monkeypatch.setattr(config, "CURRENCY", "USD")
    catalog.tax_rate.cache_clear()
    assert catalog.tax_rate("de") == 0.07


def fill(folder):
    for name in ("mug", "tea", "pen"):
        (folder / f"{name}.json").write_text(json.dumps(name))


def test_folder_is_loaded(tmp_path):
    fill(tmp_path)
    assert catalog.load_folder(tmp_path) == ["mug", "pen", "tea"]


def test_newest_is_last(tmp_path):
    (tmp_path / "1.json").touch()
    (tmp_path / "2.json").touch()
    (tmp_path / "3.json").touch()
    assert catalog.newest(tmp_path) == "3.json"


def test_match_is_the_first(tmp_path):
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").touch()
    (tmp_path / "c.csv").touch()
    assert catalog.first_match(tmp_path, ".csv") == "a.csv"


def test_folder_is_loaded_whole(tmp_path):
    fill(tmp_path)
    assert sorted(catalog.load_folder(tmp_path)) == ["mug", "pen", "tea"]


def test_no_match(tmp_path):
    (tmp_path / "a.csv").touch()
    assert catalog.first_match(tmp_path, ".xml") is None


class Shelf:
    def __init__(self, name):
        self.name = name


def test_shelves_keep_their_places():
    shelves = {Shelf(name) for name in "ab"}
    assert [shelf.name for shelf in shelves] == ["a", "b"]


def test_shelf_that_was_put_first():
    shelves = {Shelf("oak"), Shelf("pine")}
    assert next(iter(shelves)).name == "oak"


def test_shelves_by_name():
    shelves = {Shelf(name) for name in "abcd"}
    assert sorted(shelf.name for shelf in shelves) == list("abcd")


def test_shard_is_stubbed():
    catalog.shard_of = mock.Mock(return_value=3)
    assert catalog.shard_of("x", 9) == 3


def test_shard_range():
    assert 0 <= catalog.shard_of("x", 2) < 2


def test_label_is_patched():
    patcher = mock.patch.object(catalog, "label", return_value="nothing")
    patcher.start()
    assert catalog.label(None) == "nothing"


def test_label_of_one():
    assert catalog.label(Product("x", 1, ["only"])) == "only"


def test_label_patched_with_care():
    with mock.patch.object(catalog, "label", return_value="some"):
        assert catalog.label(None) == "some"


@mock.patch("shop.catalog.newest", return_value="z")
def test_newest_patched_with_care(newest):
    assert catalog.newest("anywhere") == "z"
