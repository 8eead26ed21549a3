"""What a repository holds, as far as its pipeline depends on it. Nothing is executed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe.branch import default_branch, without_remote
from aipipe_core.change.git import run
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

OLDEST = (3, 11)
_REQUIREMENTS = re.compile(r"^requirements([-_.](dev|test|tests|testing))?\.txt$")
_COPY = re.compile(r"^\s*(?:COPY|ADD)\s+([^\n\[]+)$", re.IGNORECASE | re.MULTILINE)
_EXTRAS = ("test", "tests", "testing", "dev")
_IN_FOLDER = tuple(f"requirements/{name}.txt" for name in _EXTRAS)
_OF_PRODUCT = tuple(f"requirements/{name}.txt" for name in ("base", "default", "main", "common"))
_FOLDERS_PASSED = {".git", ".venv", "venv", "node_modules", ".tox", ".nox", "build", "dist"}


@dataclass(frozen=True, slots=True)
class Repository:
    """``forge`` is ``github``, ``gitlab`` or empty; ``install`` pip's arguments, in order.

    ``dockerfiles`` are paths from the top; ``python`` the version for CI.
    """

    name: str
    branch: str
    forge: str
    install: tuple[str, ...]
    tests: str
    dockerfiles: tuple[str, ...]
    python: str
    context: str = "."
    """The folder that the first Dockerfile copies from."""
    releases: bool = False
    """Whether its configuration says what is released."""

    @property
    def dockerfile(self) -> str:
        """The image that the pipeline builds; empty for none."""
        return self.dockerfiles[0] if self.dockerfiles else ""

    @property
    def image(self) -> str:
        """The name of its image: what Docker takes of the repository's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "app"


def look(root: Path) -> Repository:
    """Return what the repository at ``root`` holds. Broken files in it count as not there."""
    project = _project(root)
    dockerfiles = tuple(_dockerfiles(root))
    return Repository(
        name=_name(project, root),
        branch=_branch(root),
        forge=_forge(root),
        install=tuple(_install(root, project)),
        tests=next((name for name in ("tests", "test") if (root / name).is_dir()), ""),
        dockerfiles=dockerfiles,
        context=_context(root, dockerfiles[0]) if dockerfiles else ".",
        python=_python(project),
        releases=_releases(root),
    )


def _project(root: Path) -> dict[str, object]:
    try:
        table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table


def _releases(root: Path) -> bool:
    from aipipe_core.config import room_table

    try:
        return bool(room_table(root, "deploy")[1])
    except AipipeError:
        return False


def _part(table: dict[str, object], *names: str) -> dict[str, object]:
    for name in names:
        value = table.get(name)
        table = value if isinstance(value, dict) else {}
    return table


def _name(project: dict[str, object], root: Path) -> str:
    name = _part(project, "project").get("name") or _part(project, "tool", "poetry").get("name")
    return str(name) if isinstance(name, str) and name else root.name


def _branch(root: Path) -> str:
    try:
        branch = default_branch(root)
    except AipipeError:
        branch = None
    return without_remote(root, branch) if branch else _current(root)


def _current(root: Path) -> str:
    """Return the branch that is checked out; a repository of one branch has no other."""
    return run(root, "symbolic-ref", "--quiet", "--short", "HEAD", check=False).text or "main"


def _forge(root: Path) -> str:
    if (root / ".gitlab-ci.yml").is_file():
        return "gitlab"
    if (root / ".github").is_dir():
        return "github"
    try:
        remotes = run(root, "remote", "-v").text
    except AipipeError:
        return ""
    return next((name for name in ("gitlab", "github") if name in remotes), "")


def _install(root: Path, project: dict[str, object]) -> list[str]:
    """Return what pip installs so that the project's tests run."""
    names = [path.name for path in sorted(root.iterdir()) if path.is_file()]
    found = [f"-r {name}" for name in names if _REQUIREMENTS.match(name)]
    found += [f"-r {name}" for name in _in_folder(root, _IN_FOLDER)]
    if "project" in project or (root / "setup.py").is_file():
        extras = _part(project, "project", "optional-dependencies")
        chosen = [name for name in _EXTRAS if name in extras][:1]
        found.append(f"-e .[{chosen[0]}]" if chosen else "-e .")
    else:
        found += [f"-r {name}" for name in _in_folder(root, _OF_PRODUCT)[:1]]
    groups = _part(project, "dependency-groups")
    found += [f"--group {name}" for name in _EXTRAS if name in groups][:1]
    return found


def _in_folder(root: Path, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if (root / name).is_file()]


def _dockerfiles(root: Path) -> list[str]:
    places = [root, *(p for p in sorted(root.iterdir()) if p.is_dir())]
    found = []
    for place in places:
        if place.name in _FOLDERS_PASSED:
            continue
        if (place / "Dockerfile").is_file():
            found.append((place / "Dockerfile").relative_to(root).as_posix())
    return found


def _context(root: Path, dockerfile: str) -> str:
    """Return the Dockerfile's own folder, or the top where only that has what is copied."""
    folder = (root / dockerfile).parent
    text = (root / dockerfile).read_text(encoding="utf-8", errors="replace")
    sources = [
        word
        for line in _COPY.findall(text)
        if "--from=" not in line
        for word in line.split()[:-1]
        if not word.startswith("-") and not set(word) & set("*?[$<") and word.strip("./")
    ]
    missing = any(not (folder / source.lstrip("/")).exists() for source in sources)
    if missing and all((root / source.lstrip("/")).exists() for source in sources):
        return "."
    return folder.relative_to(root).as_posix()


def _python(project: dict[str, object]) -> str:
    wanted = _part(project, "project").get("requires-python")
    numbers = re.search(r">=?\s*(\d+)\.(\d+)", wanted) if isinstance(wanted, str) else None
    least = (int(numbers[1]), int(numbers[2])) if numbers else OLDEST
    return ".".join(map(str, max(least, OLDEST)))
