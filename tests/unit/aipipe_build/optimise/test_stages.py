"""The rule that leaves build tools in a stage of their own: what moves, what stays in both."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.image.archive import read_archive
from aipipe_build.optimise.rules.stages import propose
from aipipe_build.optimise.situation import Base, Situation

if TYPE_CHECKING:
    from aipipe_build.optimise.proposal import Proposal

NAME = "build_images"
if NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(NAME, Path(__file__).parents[1] / "images.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[NAME] = _module
    _spec.loader.exec_module(_module)
IMAGES: Any = sys.modules[NAME]

STATUS = "var/lib/dpkg/status"


def package(name: str, *depends: str, section: str = "devel") -> str:
    needs = f"Depends: {', '.join(depends)}\n" if depends else ""
    return (
        f"Package: {name}\nStatus: install ok installed\nSection: {section}\n"
        f"Architecture: amd64\nVersion: 1\n{needs}\n"
    )


LIBC = package("libc6", section="libs")
TOOLS = (
    LIBC
    + package("gcc", "libc6", "cpp")
    + package("cpp", "libc6")
    + package("libpq-dev", "libpq5", section="libdevel")
    + package("libpq5", "libc6", section="libs")
    + package("curl", "libc6", section="web")
)


def proposal(text: str, folder: Path) -> Proposal | None:
    base, tools = IMAGES.layer((STATUS, LIBC)), IMAGES.layer((STATUS, TOOLS))
    image = read_archive(IMAGES.save(folder / "i.tar", base, tools, made_by=("ADD", "RUN apt")))
    return propose(Situation(text, base=lambda _: Base("", "", 1), image=image))


def rewritten(text: str, folder: Path) -> str:
    found = proposal(text, folder)
    assert found is not None
    assert found.text is not None
    parse_dockerfile(found.text)
    return found.text


def test_pip_installs_beside_the_compilers_and_the_run_stage_has_their_libraries(
    tmp_path: Path,
) -> None:
    text = (
        "FROM python:3.11-slim\n"
        "RUN apt-get update && apt-get install -y gcc libpq-dev curl\n"
        "WORKDIR /app\nCOPY requirements.txt ./\n"
        "RUN pip install -r requirements.txt\nCOPY . .\n"
    )
    assert rewritten(text, tmp_path) == (
        "FROM python:3.11-slim AS build\n"
        "RUN apt-get update && apt-get install -y gcc libpq-dev curl\n"
        "WORKDIR /app\nCOPY requirements.txt ./\n"
        "RUN pip install --root=/install -r requirements.txt\n"
        "\nFROM python:3.11-slim\n"
        "RUN apt-get update \\\n    && apt-get install -y curl libpq5 \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
        "WORKDIR /app\nCOPY requirements.txt ./\n"
        "COPY --from=build /install /\nCOPY . .\n"
    )
    found = proposal(text, tmp_path)
    assert found is not None
    assert found.effects.packages == {"gcc", "cpp", "libpq-dev"}


@pytest.mark.parametrize(
    "upgrade",
    ["RUN pip install --upgrade pip\n", "RUN python -m pip install -U pip 'setuptools>60' wheel\n"],
)
@pytest.mark.parametrize("first", [True, False])
def test_pip_brings_itself_up_to_date_in_both_stages(
    tmp_path: Path, upgrade: str, first: bool
) -> None:
    apt = "RUN apt-get update && apt-get install -y gcc\n"
    steps = upgrade + apt if first else apt + upgrade
    text = rewritten(f"FROM python:3.11-slim\n{steps}RUN pip install thing\n", tmp_path)
    assert text.count(upgrade) == 2
    assert text.count("--root=/install") == 1


def test_what_pip_installed_before_there_was_a_compiler_is_installed_the_same_way(
    tmp_path: Path,
) -> None:
    text = rewritten(
        "FROM python:3.11-slim\nRUN pip install wheels-only\n"
        "RUN apt-get update && apt-get install -y gcc\n"
        "COPY . .\nRUN FAST=1 python3 -m pip install --no-cache-dir .\nCMD x\n",
        tmp_path,
    )
    assert text.count("RUN pip install wheels-only") == 2
    assert "RUN FAST=1 python3 -m pip install --root=/install --no-cache-dir ." in text


@pytest.mark.parametrize(
    "install",
    ["RUN pip --no-color install install-me\n", "RUN pip3 install a && pip3 install b\n"],
)
def test_only_pips_own_word_is_extended(tmp_path: Path, install: str) -> None:
    text = rewritten(
        f"FROM python:3.11-slim\nRUN apt-get update && apt-get install -y gcc\n{install}", tmp_path
    )
    assert text.count("--root=/install") == install.count("&&") + 1
    assert "install-me" in text or "install --root=/install b" in text


@pytest.mark.parametrize(
    "steps",
    [
        "RUN pip install thing\nRUN apt-get update && apt-get install -y gcc\n",
        "RUN apt-get update && apt-get install -y gcc\nRUN pip install -U pip\n",
        "RUN apt-get update && apt-get install -y gcc\nRUN pip \\\n install thing\n",
        "RUN apt-get update && apt-get install -y gcc\nUSER app\nRUN pip install thing\n",
        "RUN apt-get update && apt-get install -y gcc && make all\nRUN pip install thing\n",
        "RUN apt-get update && apt-get install -y curl\nRUN pip install thing\n",
    ],
)
def test_what_cannot_be_taken_apart_stays_together(tmp_path: Path, steps: str) -> None:
    assert proposal(f"FROM python:3.11-slim\n{steps}", tmp_path) is None


def test_compilers_and_pip_in_one_step_are_taken_apart(tmp_path: Path) -> None:
    text = rewritten(
        "FROM python:3.11-slim\nCOPY requirements.txt ./\n"
        "RUN apt-get update && apt-get install -y gcc curl && pip install -r requirements.txt "
        "&& rm -rf /root/.cache /var/lib/apt/lists/*\nCOPY . .\n",
        tmp_path,
    )
    assert text == (
        "FROM python:3.11-slim AS build\nCOPY requirements.txt ./\n"
        "RUN apt-get update && apt-get install -y gcc curl "
        "&& pip install --root=/install -r requirements.txt "
        "&& rm -rf /root/.cache /var/lib/apt/lists/*\n"
        "\nFROM python:3.11-slim\nCOPY requirements.txt ./\n"
        "RUN apt-get update \\\n    && apt-get install -y curl \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
        "COPY --from=build /install /\nCOPY . .\n"
    )


def test_compilers_of_several_steps_all_stay_behind(tmp_path: Path) -> None:
    text = rewritten(
        "FROM python:3.11-slim\nRUN apt-get update && apt-get install -y gcc\nWORKDIR /app\n"
        "RUN apt-get update && apt-get install -y libpq-dev curl\nRUN pip install thing\n",
        tmp_path,
    )
    run = text.partition("\nFROM ")[2]
    assert "gcc" not in run
    assert "libpq-dev" not in run
    assert run.count("libpq5") == 1
    assert "curl" in run


def test_pips_own_update_in_the_step_that_installs_is_done_in_both_stages(tmp_path: Path) -> None:
    text = rewritten(
        "FROM python:3.11-slim\nRUN apt-get update && apt-get install -y gcc\n"
        "RUN pip install --upgrade pip && pip install thing\n",
        tmp_path,
    )
    build, _, run = text.partition("\nFROM ")
    assert "RUN pip install --upgrade pip && pip install --root=/install thing" in build
    assert "RUN pip install --upgrade pip\nCOPY --from=build /install /" in run
