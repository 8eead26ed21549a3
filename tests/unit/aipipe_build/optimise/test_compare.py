"""What two images may differ in, and what refuses a rewrite."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from aipipe_build.image.archive import Image, read_archive
from aipipe_build.optimise.compare import compare_images
from aipipe_build.optimise.harmless import HARMLESS, covering
from aipipe_build.optimise.proposal import Effects

NAME = "build_images"
if NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(NAME, Path(__file__).parents[1] / "images.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[NAME] = _module
    _spec.loader.exec_module(_module)
IMAGES: Any = sys.modules[NAME]


def image(folder: Path, *members: tuple[str, Any], **more: Any) -> Image:
    path: Path = IMAGES.save(folder / "i.tar", IMAGES.layer(*members), **more)
    return read_archive(path)


BASE = (("app.py", "print()"), ("run", {"mode": 0o755}))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ((("app.py", "print()"),), "/run: missing in the new image"),
        ((*BASE, ("more", "x")), "/more: only in the new image"),
        ((("app.py", "other()"), BASE[1]), "/app.py: other content (7 and 7 bytes)"),
        ((BASE[0], ("run", {"mode": 0o700})), "/run: mode -rwxr-xr-x became -rwx------"),
        ((BASE[0], ("run", {"mode": 0o755, "uid": 5})), "/run: owner 0:0 became 5:0"),
        ((("app.py", None), BASE[1]), "/app.py: kind -rw-r--r-- became drwxr-xr-x"),
    ],
)
def test_every_difference_of_a_file_is_told(
    tmp_path: Path, members: tuple[tuple[str, Any], ...], said: str
) -> None:
    before, after = image(tmp_path, *BASE), image(tmp_path, *members)
    assert compare_images(before, before, Effects()).equal
    found = compare_images(before, after, Effects())
    assert [change.text for change in found.changes] == [said]


def test_configuration_counts_unless_it_was_proposed(tmp_path: Path) -> None:
    before = image(tmp_path, *BASE, config={"User": "", "Env": ["A=1"]})
    after = image(tmp_path, *BASE, config={"User": "nobody", "Env": ["A=1"]})
    assert not compare_images(before, after, Effects()).equal
    found = compare_images(before, after, Effects(config=frozenset({"User"})))
    assert found.equal
    assert found.allowed == {"the image's User, as proposed": 1}
    other = image(tmp_path, *BASE, config={"Env": ["A=2"]})
    assert not compare_images(before, other, Effects(config=frozenset({"User"}))).equal


@pytest.mark.parametrize(
    "path",
    [
        "srv/__pycache__/a.cpython-311.pyc", "var/lib/apt/lists/deb_Packages",
        "var/cache/apt/archives/x.deb", "root/.cache/pip/http/x", "var/log/dpkg.log",
    ],
)  # fmt: skip
def test_what_is_on_the_list_may_differ(tmp_path: Path, path: str) -> None:
    found = compare_images(image(tmp_path, *BASE, (path, "1")), image(tmp_path, *BASE), Effects())
    assert found.equal
    assert sum(found.allowed.values()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "srv/__pycache__/notes.txt", "srv/a.pyc", "var/lib/apt/extended_states", "var/log/app.log",
        "root/.cache/huggingface/model", "home/.cache/pip/x", "etc/passwd", "var/lib/apt/listsx",
        "srv/.git/HEAD",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_may_not(tmp_path: Path, path: str) -> None:
    found = compare_images(image(tmp_path, *BASE, (path, "1")), image(tmp_path, *BASE), Effects())
    assert not found.equal


def test_some_entries_hold_only_where_a_proposal_names_them() -> None:
    assert covering("srv/.git/HEAD", "gone", frozenset()) == ""
    assert covering("srv/.git/HEAD", "gone", frozenset({"version-control"})) == "version-control"
    assert covering("srv/.git/HEAD", "new", frozenset({"version-control"})) == ""
    assert all(one.why for one in HARMLESS)


def test_noise_excuses_other_content_and_nothing_else(tmp_path: Path) -> None:
    before = image(tmp_path, ("a", "1"), ("b", "1"), ("c", {"mode": 0o644}))
    after = image(tmp_path, ("a", "2"), ("c", {"mode": 0o666}))
    found = compare_images(before, after, Effects(), noise=["a", "b", "c"])
    assert [change.path for change in found.changes] == ["b", "c"]


STATUS = "Package: {}\nStatus: install ok installed\nVersion: {}\n\n"


def test_packages_count_unless_they_were_only_there_to_build(tmp_path: Path) -> None:
    files = (("usr/bin/gcc", "elf"), ("var/lib/dpkg/info/gcc.list", "/usr/bin/gcc\n"))
    both = STATUS.format("gcc", 1) + STATUS.format("curl", 1)
    before = image(tmp_path, *BASE, *files, ("var/lib/dpkg/status", both))
    after = image(tmp_path, *BASE, ("var/lib/dpkg/status", STATUS.format("curl", 1)))
    assert not compare_images(before, after, Effects()).equal
    effects = Effects(packages=frozenset({"gcc"}))
    assert compare_images(before, after, effects).equal
    updated = image(tmp_path, *BASE, ("var/lib/dpkg/status", STATUS.format("curl", 2)))
    found = compare_images(before, updated, effects)
    assert [change.text for change in found.changes] == ["Debian package curl: 1 became 2"]
    lost = image(tmp_path, BASE[0], ("var/lib/dpkg/status", STATUS.format("curl", 1)))
    assert [c.path for c in compare_images(before, lost, effects).changes] == ["run"]


@pytest.mark.parametrize(
    ("made_by", "path", "equal"),
    [
        ("RUN /bin/sh -c apt-get update && apt-get install -y gcc # buildkit", "etc/made", True),
        ("RUN /bin/sh -c apt-get install -y gcc # buildkit", "srv/made", False),
        ("RUN /bin/sh -c apt-get install -y gcc && ./own # buildkit", "etc/made", False),
        ("RUN /bin/sh -c apt-get install -y gcc && pip install a # buildkit", "etc/made", True),
        ("RUN apt-get install gcc && pip install a", "usr/local/bin/made", False),
        ("RUN apt-get install gcc && pip install a", "usr/lib/python3/dist-packages/a", False),
        ("RUN pip install a", "etc/made", False),
        ("COPY . / # buildkit", "etc/made", False),
    ],
)
def test_what_packages_made_while_they_were_configured_goes_with_them(
    tmp_path: Path, made_by: str, path: str, equal: bool
) -> None:
    before = image(
        tmp_path, *BASE, (path, "1"), ("var/lib/dpkg/status", STATUS.format("gcc", 1)),
        made_by=(made_by,),
    )  # fmt: skip
    after = image(tmp_path, *BASE, ("var/lib/dpkg/status", ""))
    found = compare_images(before, after, Effects(packages=frozenset({"gcc"})))
    assert found.equal is equal


def test_a_python_package_never_goes_unseen(tmp_path: Path) -> None:
    path = "usr/lib/python3/site-packages/a-{}.dist-info/METADATA"
    text = "Name: a\nVersion: {}\n"
    before = image(tmp_path, (path.format(1), text.format(1)))
    after = image(tmp_path, (path.format(2), text.format(2)))
    texts = [change.text for change in compare_images(before, after, Effects()).changes]
    assert "PyPI package a: 1 became 2" in texts
