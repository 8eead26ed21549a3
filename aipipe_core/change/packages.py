"""What a list of requirements installs that a run of the tests can notice.

A linter, a type checker, a builder of documents or a release tool is installed beside the
tests and is no part of them, and neither is what only such tools need. A file of pins tells
for each package who asked for it (the ``via`` of pip-compile and uv); where it does not, a
package that is not known to be a tool counts.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from aipipe_core.change.bounds import floorless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Predicate = Callable[[str], bool]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TOOLS = _words(
    "autoflake autopep8 bandit basedpyright black codespell docformatter flake8 flake8-* flynt "
    "interrogate isort mdformat mdformat-* mypy pycln pycodestyle pydocstyle pydoclint pyflakes "
    "pylint pylint-* pyrefly pyright pyupgrade pytype ruff ty typos vulture yamlfix yamllint yapf "
    "doc8 furo mkdocs mkdocs-* myst-parser numpydoc pdoc pdoc3 sphinx sphinx-* sphinxcontrib-* "
    "*-sphinx-theme *-sphinx-themes towncrier "
    "build bump2version bumpver bumpversion check-manifest check-sdist check-wheel-contents "
    "cibuildwheel commitizen python-semantic-release tbump twine validate-pyproject "
    "nox pip-compile-multi pip-tools pre-commit pre-commit-* prek pyproject-fmt tox tox-* "
    "*-stubs types-*"
)
"""Patterns of what checks code, writes documents, or builds, publishes and starts the tests."""
OF_TOOLS = re.compile(
    r"(requirements[-_.])?(?P<what>docs?|lint|linting|typing|types|mypy|style|format|release|"
    r"publish)([-_.]requirements)?\.(txt|in)"
)
"""Names of files that list what documents, checks and publishing need: no test runs with it."""

_NAME = re.compile(r"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?=$|[\[<>=!~;(@])")
_COMMENT = re.compile(r"(?:^|\s)#(.*)$")


def normal(name: str) -> str:
    """Return a package's name in the form that pip compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_tool(name: str) -> bool:
    """Whether the package is known to be a tool that no test runs with by itself."""
    return any(fnmatchcase(normal(name), pattern) for pattern in TOOLS)


def name_of(requirement: str) -> str:
    """Return whose requirement it is; ValueError where it names a place instead of a package."""
    found = _NAME.match(requirement.strip())
    if found is None or requirement.strip().startswith("-"):
        raise ValueError(requirement)
    return normal(found[1])


def counted(requirements: Iterable[str], tool: Predicate = is_tool) -> list[str]:
    """Return those of a list of requirements that a test run can notice, in a fixed order.

    Raises ValueError where one names no package.
    """
    if isinstance(requirements, str):
        raise ValueError(requirements)  # noqa: TRY004 - of a file, not of a caller
    listed = list(requirements)
    names = [name_of(one) for one in listed]
    kept = [one for one, name in zip(listed, names, strict=True) if not idle(name, names, tool)]
    return sorted(map(floorless, kept))


def no_package(_name: str) -> bool:
    """Say no of every package."""
    return False


def read_pins(
    text: str, tool: Predicate = is_tool, imports: Predicate = no_package
) -> dict[str, str]:
    """Return what counts of a requirements file: by package what is asked of it.

    What only tools ask for counts all the same where the project ``imports`` it.

    Options (``-r``, ``--index-url``) are there under their own text. Raises ValueError for a
    line that is not understood.
    """
    pins: dict[str, str] = {}
    via: dict[str, set[str]] = {}
    current = ""
    for line in _lines(text):
        comment = _COMMENT.search(line)
        words = line[: comment.start()] if comment else line
        if stripped := words.strip():
            current = _add(stripped, pins)
            via.setdefault(current, set())
        # What asked for a package stands beside it, or below it and indented.
        if comment and current and not line.startswith("#"):
            via[current] |= set(_parents(comment[1]))
    return {name: pins[name] for name in pins.keys() - _uncounted(pins, via, tool, imports)}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the packages and options of which the two files do not say the same."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def _lines(text: str) -> Iterator[str]:
    """Yield lines, with those that a backslash goes on with joined."""
    yield from re.sub(r"\\\r?\n", " ", text).splitlines()


def _add(line: str, pins: dict[str, str]) -> str:
    """Add a requirement or an option; return the name that comments below it speak of."""
    if not line.startswith("-"):
        name = name_of(line)
        pins[name] = f"{pins.get(name, '')} {floorless(line)}".strip()
        return name
    option, _, file = line.partition(" ")
    if option in ("-r", "--requirement") and OF_TOOLS.fullmatch(file.strip().rsplit("/", 1)[-1]):
        return ""
    pins[line] = ""
    return ""


def _parents(comment: str) -> Iterator[str]:
    """Yield who asked for a package, as a comment names them."""
    told = comment.strip().removeprefix("via").strip()
    for parent in told.split(","):
        if parent.strip():
            yield parent.strip()


def _uncounted(
    pins: Mapping[str, str],
    via: Mapping[str, set[str]],
    tool: Predicate,
    imports: Predicate,
) -> set[str]:
    """Return the packages that are tools, or that only tools ask for."""
    tools = {name for name in pins if not name.startswith("-") and idle(name, pins, tool)}
    counting = {
        name for name in pins.keys() - tools if _is_wanted(via.get(name, set()), pins, tool)
    }
    counting |= {name for name in pins.keys() - tools if imports(name)}
    while True:
        more = {
            name
            for name in pins.keys() - counting
            if counting & set(map(normal, via.get(name, ())))
        }
        if not more:
            return set(pins) - counting
        counting |= more


def _is_wanted(parents: set[str], pins: Mapping[str, str], tool: Predicate) -> bool:
    """Whether somebody besides tools and the file's packages wants it, or nobody is said to."""
    packages = {one for one in map(normal, parents) if one in pins or tool(one)}
    files = {parent.rsplit("/", 1)[-1] for parent in parents if parent.startswith("-r")}
    others = {one for one in parents if normal(one) not in packages and not one.startswith("-")}
    if others or not all(OF_TOOLS.fullmatch(file.removeprefix("-r ")) for file in files):
        return True
    return not packages and not files


def idle(name: str, beside: Iterable[str], tool: Predicate) -> bool:
    """Whether a package is a tool, and no plugin of pytest beside it runs that tool."""
    if not tool(name):
        return False
    return not any(other.startswith("pytest-") and name in other for other in beside)
