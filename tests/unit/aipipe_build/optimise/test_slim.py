"""The rule that moves an image to its base's slim variant: names, texts, what stays needed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.image.archive import read_archive
from aipipe_build.optimise.compare import bases_own_modules, compare_images
from aipipe_build.optimise.proposal import Effects, Swap
from aipipe_build.optimise.rules.slim import propose, slim_name
from aipipe_build.optimise.situation import Base, Situation

if TYPE_CHECKING:
    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.proposal import Proposal


def _load(name: str, path: Path) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


UNIT = Path(__file__).parents[1]
IMAGES: Any = _load("build_images", UNIT / "images.py")
ELF: Any = _load("build_elf", UNIT / "image" / "test_elf.py")

STATUS = "var/lib/dpkg/status"
INFO = "var/lib/dpkg/info"
SITE = "usr/local/lib/python3.9/site-packages"


def package(name: str, *depends: str, section: str = "devel") -> str:
    needs = f"Depends: {', '.join(depends)}\n" if depends else ""
    return (
        f"Package: {name}\nStatus: install ok installed\nSection: {section}\n"
        f"Architecture: amd64\nVersion: 1\n{needs}\n"
    )


LIBC = package("libc6", section="libs")
FULL = (
    LIBC
    + package("gcc", "libc6")
    + package("git", "libc6", section="vcs")
    + package("imagemagick", "libc6", section="graphics")
    + package("libpq-dev", "libpq5", section="libdevel")
    + package("libpq5", "libc6", section="libs")
)
FULL_FILES = (
    (STATUS, FULL),
    (f"{INFO}/gcc.list", "/usr/bin/gcc\n"),
    (f"{INFO}/git.list", "/usr/bin/git\n"),
    (f"{INFO}/imagemagick.list", "/usr/bin/convert-im6\n"),
    (f"{INFO}/libpq5.list", "/usr/lib/x/libpq.so.5\n"),
    ("usr/bin/gcc", "gcc"),
    ("usr/bin/git", "git"),
    ("usr/bin/convert-im6", "convert"),
    ("usr/lib/x/libpq.so.5", ELF.elf(["libc.so.6"])),
)


class World:
    """Base images and a project's image in a folder; the situation that a rule is shown."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self.own: list[tuple[str, Any]] = []
        self.bases = {
            "python:3.9": self._image("full", IMAGES.layer(*FULL_FILES)),
            "python:3.9-slim": self._image("slim", IMAGES.layer((STATUS, LIBC))),
        }

    def _image(self, name: str, *layers: bytes) -> Image:
        return read_archive(IMAGES.save(self.folder / f"{name}.tar", *layers))

    def propose(self, text: str) -> Proposal | None:
        image = self._image("own", IMAGES.layer(*FULL_FILES), IMAGES.layer(*self.own))
        return propose(
            Situation(
                text,
                files=frozenset(self.files),
                read=self.files.get,
                base=lambda _: Base("", "", 1),
                image=image,
                bare=self.bases.get,
            )
        )

    def rewritten(self, text: str) -> str:
        found = self.propose(text)
        assert found is not None
        assert found.text is not None
        parse_dockerfile(found.text)
        return found.text


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("reference", "slim"),
    [
        ("python:3.9", "python:3.9-slim"),
        ("python:3", "python:3-slim"),
        ("python", "python:slim"),
        ("python:latest", "python:slim"),
        ("python:3.12-bookworm", "python:3.12-slim-bookworm"),
        ("python:bookworm", "python:slim-bookworm"),
        ("registry.example:5000/team/python:3.9", "registry.example:5000/team/python:3.9-slim"),
        ("registry.example:5000/team/python", "registry.example:5000/team/python:slim"),
        ("python:3.9-slim", ""),
        ("python:3.12-slim-bookworm", ""),
        ("python:3.9-alpine", ""),
        ("python@sha256:0", ""),
        ("python:$VERSION", ""),
        ("scratch", ""),
    ],
)
def test_the_slim_variant_has_the_name_that_custom_gives_it(reference: str, slim: str) -> None:
    assert slim_name(reference) == slim


def test_pip_installs_on_the_full_image_and_the_program_runs_on_the_slim_one(world: World) -> None:
    text = (
        "FROM python:3.9\nENV A=1\nWORKDIR /app\nCOPY requirements.txt ./\n"
        "RUN pip install -r requirements.txt\nCOPY . .\nCMD python app.py\n"
    )
    assert world.rewritten(text) == (
        "FROM python:3.9 AS build\nENV A=1\nWORKDIR /app\nCOPY requirements.txt ./\n"
        "RUN pip install --root=/install -r requirements.txt\n"
        "\nFROM python:3.9-slim\nENV A=1\nWORKDIR /app\nCOPY requirements.txt ./\n"
        "COPY --from=build /install /\nCOPY . .\nCMD python app.py\n"
    )
    found = world.propose(text)
    assert found is not None
    assert found.effects.packages == {"gcc", "git", "imagemagick", "libpq-dev", "libpq5"}


def test_what_was_compiled_keeps_the_libraries_that_it_is_linked_against(world: World) -> None:
    world.own = [(f"{SITE}/_psycopg.so", ELF.elf(["libpq.so.5", "libc.so.6"]))]
    text = world.rewritten("FROM python:3.9\nRUN pip install psycopg2\n")
    assert "FROM python:3.9-slim\nRUN apt-get update \\\n" in text
    assert "apt-get install -y --no-install-recommends libpq5 \\\n" in text


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("app.py", "import subprocess\nsubprocess.run(\n    ['git', 'log'])\n"),
        ("app.py", "import os\nos.system('/usr/bin/git log')\n"),
        ("start.sh", "cd /srv && git pull\n"),
        ("entrypoint", "#!/bin/sh\nexec git daemon\n"),
    ],
)
def test_a_program_that_a_source_starts_stays(world: World, name: str, source: str) -> None:
    world.files = {name: source}
    found = world.propose("FROM python:3.9\nRUN pip install thing\n")
    assert found is not None
    assert "git" not in found.effects.packages
    assert "no-install-recommends git " in (found.text or "")


def test_a_program_that_the_image_itself_starts_stays(world: World) -> None:
    assert "recommends git " in world.rewritten('FROM python:3.9\nCMD ["git", "daemon"]\n')


def test_a_word_that_starts_nothing_keeps_nothing(world: World) -> None:
    world.files = {"app.py": "import subprocess\n\n\n\n\nKINDS = {'git': 1}\n"}
    found = world.propose("FROM python:3.9\nRUN pip install thing\n")
    assert found is not None
    assert "git" in found.effects.packages


def test_a_program_behind_an_alternative_keeps_the_package_that_has_it(world: World) -> None:
    full = IMAGES.layer(
        *FULL_FILES,
        ("usr/bin/convert", {"type": b"2", "linkname": "/etc/alternatives/convert"}),
        ("etc/alternatives/convert", {"type": b"2", "linkname": "/usr/bin/convert-im6"}),
    )
    world.bases["python:3.9"] = world._image("full", full)
    world.files = {"app.py": "import os\nos.system('convert a.png b.png')\n"}
    found = world.propose("FROM python:3.9\nRUN pip install thing\n")
    assert found is not None
    assert "imagemagick" not in found.effects.packages


def test_without_pip_and_in_the_last_of_several_stages_only_the_base_changes(world: World) -> None:
    assert world.rewritten("FROM python:3.9 # here\nCOPY . .\n".replace(" # here", "")) == (
        "FROM python:3.9-slim\nCOPY . .\n"
    )
    text = "FROM python:3.9 AS build\nRUN make\n\nFROM python:3.9\nCOPY --from=build /x /x\n"
    assert world.rewritten(text) == (
        "FROM python:3.9 AS build\nRUN make\n\nFROM python:3.9-slim\nCOPY --from=build /x /x\n"
    )


def test_nothing_is_said_where_it_cannot_be_or_need_not_be(world: World) -> None:
    assert world.propose("FROM python:3.9-slim\nRUN pip install thing\n") is None
    assert world.propose("FROM python:3.10\nRUN pip install thing\n") is None
    assert world.propose("FROM python:3.9 AS a\nRUN x\nFROM a\nRUN pip install thing\n") is None
    world.files = {"app.py": "import tkinter\n"}
    assert world.propose("FROM python:3.9\nRUN pip install thing\n") is None


def test_only_what_both_bases_explain_may_differ(tmp_path: Path) -> None:
    def image(name: str, *files: tuple[str, Any]) -> Image:
        return read_archive(IMAGES.save(tmp_path / f"{name}.tar", IMAGES.layer(*files)))

    full, slim = image("full", ("lib/a", "1"), ("lib/b", "1")), image("slim", ("lib/a", "2"))
    effects = Effects(swap=Swap(full.tree.entries, slim.tree.entries))
    before = image("before", ("lib/a", "1"), ("lib/b", "1"), ("srv/app", "1"))
    assert compare_images(before, image("1", ("lib/a", "2"), ("srv/app", "1")), effects).equal
    for files in (
        [("lib/a", "2")],
        [("lib/a", "2"), ("srv/app", "2")],
        [("lib/a", "3"), ("srv/app", "1")],
        [("lib/a", "2"), ("lib/b", "2"), ("srv/app", "1")],
        [("lib/a", "2"), ("lib/c", "1"), ("srv/app", "1")],
    ):
        assert not compare_images(before, image("2", *files), effects).equal
    # What the project itself has changed in the base is no longer the base's.
    own = image("own", ("lib/a", "mine"), ("lib/b", "1"), ("srv/app", "1"))
    assert not compare_images(own, image("3", ("lib/a", "2"), ("srv/app", "1")), effects).equal


META = "usr/lib/python3/dist-packages/tool-1.egg-info"


def test_a_distribution_of_the_old_base_goes_with_it_and_one_of_the_projects_does_not(
    tmp_path: Path,
) -> None:
    def image(name: str, *files: tuple[str, Any]) -> Image:
        return read_archive(IMAGES.save(tmp_path / f"{name}.tar", IMAGES.layer(*files)))

    module = "usr/lib/python3/dist-packages/tool/__init__.py"
    tool = ((META, "Name: tool\nVersion: 1\n"), (module, ""))
    full, slim = image("full", *tool), image("slim", ("etc/os-release", ""))
    effects = Effects(swap=Swap(full.tree.entries, slim.tree.entries))
    after = image("after", ("etc/os-release", ""))
    assert compare_images(image("before", *tool), after, effects).equal
    assert bases_own_modules(full, after, effects) == {"tool"}
    own = (META.replace("usr/", "usr/local/"), "Name: tool\nVersion: 1\n")
    found = compare_images(image("own", *tool, own), after, effects)
    assert "PyPI package tool 1, 1: missing" in [change.text for change in found.changes]
    assert bases_own_modules(full, after, Effects()) == set()


def test_a_module_of_the_system_that_a_source_imports_stays(world: World) -> None:
    module = "usr/lib/python3/dist-packages/vcs/__init__.py"
    full = IMAGES.layer(
        (STATUS, FULL), (f"{INFO}/git.list", f"/{module}\n"), (module, ""), ("usr/bin/gcc", "")
    )
    world.bases["python:3.9"] = world._image("full", full)
    world.files = {"app.py": "from vcs.log import show\n"}
    assert "recommends git " in world.rewritten("FROM python:3.9\nRUN pip install thing\n")
