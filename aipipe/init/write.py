"""Writes the files. One that is there already is never changed: what it lacks is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe.init.look import Repository


class Outcome(StrEnum):
    """What became of one file."""

    WRITTEN = "written"
    SAME = "already so"
    KEPT = "left as it is"


@dataclass(frozen=True, slots=True)
class Written:
    """A file, what became of it, and what a person has to do, empty for nothing."""

    path: str
    outcome: Outcome
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A file's path from the top, its template, and what to do where another file is there."""

    path: str
    template: str
    instead: str


def plan(ci: str) -> Iterator[Planned]:
    """Yield the files to write; ``ci`` is ``github``, ``gitlab``, ``both`` or ``none``."""
    yield Planned("pipeline.yaml", "pipeline.yaml", "its stages stay; `aipipe run --dry-run`")
    if ci in {"github", "both"}:
        path = ".github/workflows/aipipe.yml"
        yield Planned(path, "github.yml", "compare it with the one of `aipipe init --print`")
    if ci in {"gitlab", "both"}:
        yield Planned(
            ".gitlab-ci.yml",
            "gitlab.yml",
            "add the jobs of `aipipe init --print` to it, or include them",
        )
    yield Planned(
        ".pre-commit-config.yaml",
        "pre-commit.yaml",
        "add the `repo: local` entry of `aipipe init --print` to it",
    )
    yield Planned("aipipe.env.example", "env.example", "compare it by hand")


def contents(repository: Repository, ci: str) -> list[tuple[Planned, str]]:
    """Return each planned file with its text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - YAML and shell, no HTML
        loader=FileSystemLoader(templates()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="<<",
        variable_end_string=">>",
    )
    return [
        (planned, environment.get_template(planned.template).render(repo=repository))
        for planned in plan(ci)
    ]


def write_all(root: Path, repository: Repository, ci: str) -> list[Written]:
    """Write what is not there yet.

    Raises :class:`RequestError` (``cannot-write``) at the first file that cannot be written;
    the ones before it are whole.
    """
    return [
        _unless_ignored(root, _write(root, planned, text))
        for planned, text in contents(repository, ci)
    ]


def _unless_ignored(root: Path, written: Written) -> Written:
    """Say what has to be done with a file of ours that git would leave out of a commit."""
    if written.outcome is Outcome.KEPT:
        return written
    # It takes paths as they are, and refuses to be told so.
    plain = {"GIT_LITERAL_PATHSPECS": "0"}
    question = ("check-ignore", "--quiet", "--", written.path)
    asked = run(root, *question, environ=plain, check=False)
    if asked.code:
        return written
    return replace(written, todo=f"git ignores it: git add --force {written.path}")


def _write(root: Path, planned: Planned, text: str) -> Written:
    target = root / planned.path
    try:
        if target.exists() or target.is_symlink():
            if target.is_file() and target.read_text(encoding="utf-8", errors="replace") == text:
                return Written(planned.path, Outcome.SAME)
            return Written(planned.path, Outcome.KEPT, planned.instead)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise RequestError(
            "cannot-write",
            f"{planned.path} cannot be written: {error.strerror}",
            where=str(root),
            hint="Check the folder's permissions; what was written before stays.",
        ) from error
    return Written(planned.path, Outcome.WRITTEN)


def templates() -> Path:
    """Return the templates' folder: in the installed package, or of a checkout."""
    packaged = Path(__file__).parent / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "templates" / "init"
