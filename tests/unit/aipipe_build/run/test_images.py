"""The images of a repository and their order."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from aipipe_build.run.images import build_order, find_dockerfiles, stands_on
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

TAGS = {"web": ["shop/web:1"], "base": ["shop/base"], "tools": ["tools"]}


def test_what_others_stand_on_comes_first() -> None:
    needs = {
        "web": {"docker.io/shop/base:latest", "docker.io/library/python:3.11"},
        "base": {"docker.io/library/tools:latest"},
        "tools": set[str](),
    }
    assert build_order(needs, TAGS) == ["tools", "base", "web"]
    assert stands_on(needs["web"], TAGS) == {"base"}


def test_a_circle_is_refused_by_name() -> None:
    needs = {"web": {"docker.io/shop/base:latest"}, "base": {"docker.io/shop/web:1"}}
    with pytest.raises(AipipeError, match=r"web -> base|base -> web"):
        build_order(needs, TAGS)


def test_an_image_may_stand_on_its_own_older_self() -> None:
    assert build_order({"web": {"docker.io/shop/web:1"}}, TAGS) == ["web"]


def test_each_dockerfile_is_an_image_named_by_its_folder(tmp_path: Path) -> None:
    root = tmp_path / "Shop"
    for name in (
        "Dockerfile",
        "api/Dockerfile",
        "api/Dockerfile.worker",
        "api/Dockerfile.dockerignore",
        "x/y.txt",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("FROM scratch\n")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    found = {spec.name: spec.words for spec in find_dockerfiles(root)}
    assert found == {
        "shop": (".", "--file=Dockerfile", "--tag=shop"),
        "api": ("api", "--file=api/Dockerfile", "--tag=api"),
        "worker": ("api", "--file=api/Dockerfile.worker", "--tag=worker"),
    }


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a/web/Dockerfile", "b/web/Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("FROM scratch\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(AipipeError, match="two images would be named web"):
        find_dockerfiles(tmp_path)
