from __future__ import annotations

import json
from importlib.metadata import distributions
from typing import TYPE_CHECKING

from pytest_aipipe.select.installed import Installed, installed
from pytest_aipipe.select.watch import Project

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def package(
    site: Path, name: str, version: str, tree: Path | None = None, *, editable: bool = True
) -> Path:
    """Put metadata of a package into ``site``, as pip does."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n", "utf-8")
    if tree is not None:
        said = {"url": tree.as_uri(), "dir_info": {"editable": editable} if editable else {}}
        (folder / "direct_url.json").write_text(json.dumps(said), "utf-8")
    return folder


def around(top: Path, site: Path) -> Installed:
    return installed(Project(str(top)).path_of, distributions(path=[str(site)]))


def move(site: Path, name: str, old: str, new: str) -> None:
    folder = site / f"{name}-{old}.dist-info"
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {new}\n", "utf-8")
    folder.rename(site / f"{name}-{new}.dist-info")


def test_the_version_of_a_package_from_elsewhere_makes_another_environment(tmp_path: Path) -> None:
    site, top = tmp_path / "site", tmp_path / "top"
    package(site, "other", "1")
    package(site, "local", "1", tmp_path / "elsewhere")
    package(site, "copied", "1", top, editable=False)
    known = {around(top, site).environment}
    for name in ("other", "local", "copied"):
        move(site, name, "1", "2")
        known.add(around(top, site).environment)
    assert len(known) == 4
    assert not around(top, site).own


def test_the_version_of_the_working_tree_itself_does_not(tmp_path: Path) -> None:
    site, top = tmp_path / "site", tmp_path / "my top"
    package(site, "shop", "1", top)
    before = around(top, site)
    move(site, "shop", "1", "2")
    assert around(top, site).environment == before.environment


def test_a_package_below_the_top_of_the_repository_is_of_the_working_tree(tmp_path: Path) -> None:
    package(tmp_path / "site", "shop", "1", tmp_path / "top" / "packages" / "shop")
    assert set(around(tmp_path / "top", tmp_path / "site").own.values()) == {"shop"}


def test_entry_points_of_the_working_tree_count(tmp_path: Path) -> None:
    site, top = tmp_path / "site", tmp_path / "top"
    folder = package(site, "shop", "1", top)
    before = around(top, site).environment
    (folder / "entry_points.txt").write_text("[pytest11]\nshop = shop\n", "utf-8")
    assert around(top, site).environment != before


def test_metadata_that_setuptools_leaves_in_the_working_tree_is_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "shop.egg-info"
    folder.mkdir(parents=True)
    (folder / "PKG-INFO").write_text("Name: shop\nVersion: 1\n", "utf-8")
    found = around(tmp_path, tmp_path / "src")
    assert found.own == {str(folder): "shop"}
    assert set(found.marks()) == {str(folder / "PKG-INFO")}


def test_an_environment_inside_the_project_is_no_part_of_it(tmp_path: Path) -> None:
    site = tmp_path / ".venv" / "lib" / "site-packages"
    package(site, "other", "1")
    assert not around(tmp_path, site).own


def test_what_stands_for_a_file_of_metadata_differs_with_its_content(tmp_path: Path) -> None:
    site, top = tmp_path / "site", tmp_path / "top"
    package(site, "shop", "1", top)
    before = set(around(top, site).marks().values())
    assert before == set(around(top, site).marks().values())
    move(site, "shop", "1", "2")
    after = set(around(top, site).marks().values())
    assert {mark.partition("@")[0] for mark in before - after} == {"<installed>shop/METADATA"}


def test_who_may_have_taken_a_version_from_a_folders_name_read_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "site", "shop", "1", tmp_path / "top")
    found = around(tmp_path / "top", tmp_path / "site")
    monkeypatch.delitem(__import__("sys").modules, "pkg_resources", raising=False)
    assert found.read_unheard() == frozenset()
    monkeypatch.setitem(__import__("sys").modules, "pkg_resources", object())
    assert found.read_unheard() == frozenset(found.marks().values())
