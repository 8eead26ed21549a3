"""What edits of manifests and lock files mean."""

from __future__ import annotations

import json

import pytest

from aipipe_build.decide.requirements import Meaning, is_manifest, meaning_of_edit


@pytest.mark.parametrize(
    ("path", "before", "after", "meaning"),
    [
        ("requirements.txt", "a==1\n", "# why\na==1  # pinned\n", "nothing"),
        ("requirements.txt", "a==1\nB_x==2\n", "b-x == 2\n\na==1\n", "nothing"),
        ("requirements.txt", "a==1 \\\n  --hash=x\n", "a==1 --hash=x\n", "nothing"),
        ("requirements.txt", "a==1\n", "a==2\n", "dependencies"),
        ("requirements.txt", "a==1\n", "a==1\n-r other.txt\n", "dependencies"),
        ("requirements-dev.txt", "pytest==8\n", "pytest==9\n", "tests"),
        ("requirements/test.txt", "x\n", "y\n", "tests"),
        (
            "pyproject.toml",
            '[project]\nname="a"\n',
            '[project]\nname="a"\nversion="2"\n',
            "nothing",
        ),
        (
            "pyproject.toml",
            '[project]\ndependencies=["a>=1"]\n',
            '[project]\ndependencies=["a>=2"]\n',
            "dependencies",
        ),
        (
            "pyproject.toml",
            '[dependency-groups]\ndev=["pytest>=8"]\n',
            '[dependency-groups]\ndev=["pytest>=9"]\n',
            "tests",
        ),
        (
            "pyproject.toml",
            '[project.optional-dependencies]\npostgres=["p"]\n',
            '[project.optional-dependencies]\npostgres=["q"]\n',
            "dependencies",
        ),
        ("pyproject.toml", "[project]\n", "[project\n", "unknown"),
        (
            "package.json",
            '{"devDependencies": {"a": "1"}}',
            '{"devDependencies": {"a": "2"}}',
            "tests",
        ),
        ("package.json", '{"scripts": {}}', '{"scripts": {"x": "y"}}', "nothing"),
        (
            "poetry.lock",
            '[[package]]\nname="a"\nversion="1"\ngroups=["dev"]\n',
            '[[package]]\nname="a"\nversion="2"\ngroups=["dev"]\n',
            "tests",
        ),
        (
            "uv.lock",
            '[[package]]\nname="a"\nversion="1"\n',
            '[[package]]\nname="a"\nversion="2"\n',
            "dependencies",
        ),
    ],
)
def test_an_edit_is_read_for_its_meaning(path: str, before: str, after: str, meaning: str) -> None:
    assert meaning_of_edit(path, before, after) is Meaning(meaning)


def test_manifests_are_known_by_name() -> None:
    assert is_manifest("api/requirements-prod.txt")
    assert is_manifest("uv.lock")
    assert not is_manifest("readme.txt")


UV = """
requires-python = ">=3.11"
[[package]]
name = "shop"
version = "{shop}"
source = {{ editable = "." }}
dependencies = [{{ name = "flask" }}]
[package.optional-dependencies]
test = [{{ name = "coverage" }}]
[package.dev-dependencies]
dev = [{{ name = "pytest" }}]
[[package]]
name = "flask"
version = "{flask}"
dependencies = [{{ name = "click" }}]
[[package]]
name = "click"
version = "{click}"
[[package]]
name = "coverage"
version = "7"
[[package]]
name = "pytest"
version = "{pytest}"
"""
VERSIONS = {"shop": "1", "flask": "1", "click": "1", "pytest": "1"}


@pytest.mark.parametrize(
    ("bumped", "meaning"),
    [
        ("shop", "nothing"),
        ("flask", "dependencies"),
        ("click", "dependencies"),
        ("pytest", "tests"),
    ],
)
def test_uvs_lock_tells_what_the_project_reaches_from_what_its_groups_do(
    bumped: str, meaning: str
) -> None:
    before = UV.format(**VERSIONS)
    after = UV.format(**{**VERSIONS, bumped: "2"})
    assert meaning_of_edit("uv.lock", before, after) is Meaning(meaning)


@pytest.mark.parametrize(
    ("place", "meaning"),
    [("", "nothing"), ("node_modules/a", "dependencies"), ("node_modules/b", "tests")],
)
def test_npms_lock_tells_what_is_for_development(place: str, meaning: str) -> None:
    def lock(version: str) -> str:
        packages = {
            name: {"version": version if name == place else "1", "dev": name.endswith("b")}
            for name in ("", "node_modules/a", "node_modules/b")
        }
        return json.dumps({"lockfileVersion": 3, "packages": packages})

    assert meaning_of_edit("web/package-lock.json", lock("1"), lock("2")) is Meaning(meaning)
