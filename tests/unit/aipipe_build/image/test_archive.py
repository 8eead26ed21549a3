"""Layers laid over each other, as the image specification says."""

from __future__ import annotations

import importlib.util
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from aipipe_build.image.archive import read_archive
from aipipe_build.image.packages import installed, os_release, owned_paths
from aipipe_core.errors import AipipeError


def _images() -> Any:
    name = "build_images"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "images.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


IMAGES = _images()
layer, save = IMAGES.layer, IMAGES.save


@pytest.mark.parametrize("compress", [False, True])
def test_higher_layers_replace_and_remove(tmp_path: Path, compress: bool) -> None:
    below = layer(("a", None), ("a/old", "x" * 10), ("a/kept", "y" * 5), ("gone", "z" * 7))
    above = layer(("a/old", "new"), (".wh.gone", ""))
    path = save(tmp_path / "image.tar", below, above, compress=compress)
    image = read_archive(path)
    assert sorted(image.tree.entries) == ["a", "a/kept", "a/old"]
    assert image.tree.entries["a/old"].layer == 1
    assert (image.size, image.tree.size, image.tree.wasted) == (25, 8, 17)
    assert image.efficiency == pytest.approx(8 / 25)


def test_an_opaque_folder_hides_what_was_below_it(tmp_path: Path) -> None:
    below = layer(("a", None), ("a/b", "1"), ("a/c", "2"), ("ab", "3"))
    above = layer(("a/.wh..wh..opq", ""), ("a/b", "4"))
    image = read_archive(save(tmp_path / "i.tar", below, above))
    assert {p: e.layer for p, e in image.tree.entries.items()} == {"a": 0, "ab": 0, "a/b": 1}


def test_a_file_in_a_folders_place_takes_the_folder_away(tmp_path: Path) -> None:
    image = read_archive(
        save(tmp_path / "i.tar", layer(("a", None), ("a/b", "1")), layer(("a", "f")))
    )
    assert list(image.tree.entries) == ["a"]


def test_links_owners_and_attributes_are_seen(tmp_path: Path) -> None:
    data = layer(
        ("f", "content"),
        ("hard", {"type": tarfile.LNKTYPE, "linkname": "f"}),
        ("soft", {"type": tarfile.SYMTYPE, "linkname": "f"}),
        ("x", {"uid": 7, "gid": 8, "mode": 0o4755,
               "pax_headers": {"SCHILY.xattr.security.capability": "cap"}}),
    )  # fmt: skip
    entries = read_archive(save(tmp_path / "i.tar", data)).tree.entries
    assert entries["hard"].digest == entries["f"].digest
    assert entries["hard"].size == 0
    assert (entries["soft"].kind, entries["soft"].link) == ("l", "f")
    assert entries["x"].owner == "7:8"
    assert entries["x"].permissions == "-rwsr-xr-x"
    assert entries["x"].xattrs == (("security.capability", "cap"),)


def test_the_instruction_behind_a_layer_is_what_a_person_wrote(tmp_path: Path) -> None:
    made_by = ("/bin/sh -c #(nop) ADD file:1 in /", "RUN /bin/sh -c pip install x # buildkit")
    image = read_archive(save(tmp_path / "i.tar", layer(("a", "1")), layer(), made_by=made_by))
    assert image.made_by == ("ADD file:1 in /", "RUN pip install x")


@pytest.mark.parametrize("data", [b"", b"not a tar", b"\0" * 1024])
def test_what_is_no_image_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "i.tar"
    path.write_bytes(data)
    with pytest.raises(AipipeError, match="image-unreadable"):
        read_archive(path)


def test_a_layer_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "i.tar", b"\x28\xb5\x2f\xfd" + b"zstd" * 200)
    with pytest.raises(AipipeError, match="image-unreadable"):
        read_archive(path)


STATUS = """\
Package: libx1
Status: install ok installed
Source: x (1.0-2)
Version: 1.0-2+b1
Section: libs
Depends: libc6 (>= 2.3), liby | libz

Package: gone
Status: deinstall ok config-files
Version: 1

Package: nothing
Status: install ok installed
"""


def test_packages_are_read_from_their_own_lists(tmp_path: Path) -> None:
    site = "usr/lib/python3/site-packages"
    data = layer(
        ("var/lib/dpkg/status", STATUS),
        (f"{site}/Alpha_x-1.0.dist-info/METADATA", "Name: Alpha_x\nVersion: 1.0\n\nVersion: 9\n"),
        (f"{site}/old.egg-info", "Metadata-Version: 1\nName: old\nVersion: 2\n"),
        (f"{site}/broken-3.dist-info/METADATA", "nonsense"),
        ("etc/os-release", 'ID=debian\nVERSION_ID="12"\n'),
    )
    tree = read_archive(save(tmp_path / "i.tar", data)).tree
    found = {(one.ecosystem, one.name): one for one in installed(tree)}
    assert {key: one.version for key, one in found.items()} == {
        ("Debian", "libx1"): "1.0-2+b1", ("Debian", "nothing"): "", ("PyPI", "alpha-x"): "1.0",
        ("PyPI", "old"): "2", ("PyPI", "broken"): "",
    }  # fmt: skip
    assert found["Debian", "libx1"].subject == ("x", "1.0-2")
    assert found["Debian", "libx1"].depends == ("libc6", "liby")
    assert os_release(tree)["VERSION_ID"] == "12"


def test_what_a_package_owns_is_found_behind_a_merged_usr(tmp_path: Path) -> None:
    data = layer(
        ("lib", {"type": tarfile.SYMTYPE, "linkname": "usr/lib"}),
        ("var/lib/dpkg/info/x:amd64.list", "/.\n/lib/x.so\n/usr/bin/x\n"),
        ("var/lib/dpkg/info/y.list", "/usr/bin/y\n"),
    )
    tree = read_archive(save(tmp_path / "i.tar", data)).tree
    assert {"usr/lib/x.so", "usr/bin/x"} <= owned_paths(tree, {"x"})
    assert "usr/bin/y" not in owned_paths(tree, {"x"})
