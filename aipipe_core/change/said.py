"""What a settings file says to a run of the tests.

Settings hold what many tools want to be told. Taken away is what is known to be read by
linters, type checkers, packagers, tox and index pages alone; all else counts, so that what
is new to these lists is taken for something that a test can notice.
"""

from __future__ import annotations

import ast
import configparser
import fnmatch
import re
import tomllib
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from aipipe_core.change.bounds import floorless
from aipipe_core.change.packages import counted, is_tool, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Predicate = Callable[[str], bool]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOOLS = _words(
    "autopep8 bandit basedpyright black bumpversion bumpver check-manifest check-sdist "
    "check-wheel-contents cibuildwheel codespell commitizen deptry djlint doc8 docformatter flake8 "
    "flynt interrogate isort mdformat mypy pycln pycodestyle pydocstyle pydoclint "
    "pylint pyproject-fmt pyrefly pyright pyupgrade pytype ruff semantic_release tbump "
    "towncrier tox ty typos vulture yamlfix yapf"
)
"""Tables of ``tool``, sections of ``setup.cfg``: of linters, checkers and release tools."""
PAGE = _words(
    "authors classifiers description keywords license license-files maintainers readme urls "
    "author author_email classifier home_page license_file license_files long_description "
    "long_description_content_type maintainer maintainer_email platforms project_urls "
    "requires-python python_requires summary url download_url"
)
"""Metadata that an index page and an installer read; the interpreter that runs is the same."""
GROUPS = _words(
    "doc docs lint linting typing types mypy style format release publish coverage-report"
)
"""Names of extras and dependency groups that no test is run with."""
OF_TESTS = ("pytest", "tool:pytest", "coverage:*", "coverage", "report", "run", "paths")
"""Sections of ``tox.ini`` that a test run reads; all others are tox's own."""
TRUTHS = _words("true false")
VERSION = frozenset({"version"})
"""A test notices the project's version by the metadata that is installed, if it asks for it."""


class UnreadableSettingsError(ValueError):
    """The file cannot be read for what it says."""


def said(name: str, text: str, *, tool: Predicate = is_tool, but: Collection[str] = ()) -> Any:
    """Return what the settings file ``name`` says to a test run, to be compared.

    ``tool`` says of a package whether no test runs with it; ``but`` are keys of the project's
    metadata to leave out as well. Raises :class:`UnreadableSettingsError`, also for a name that
    is not one of :data:`READ`.
    """
    try:
        return READ[name](text, tool, frozenset(but) | PAGE)
    except (KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise UnreadableSettingsError(name) from error
    except configparser.Error as error:
        raise UnreadableSettingsError(name) from error


def installs(name: str, text: str, *, tool: Predicate = is_tool) -> Any:
    """Return the part of what ``name`` says that decides what is installed; as :func:`said`."""
    found = said(name, text, tool=tool, but=VERSION)
    if name == "pyproject.toml":
        project = found["project"]
        listed = [project.get("dependencies", []), project["optional-dependencies"]]
        poetry = found["tool"].get("poetry", {})
        own = {key: poetry.get(key) for key in ("dependencies", "group", "dev-dependencies")}
        return [*listed, found["dependency-groups"], found.get("build-system"), own]
    if name == "setup.cfg":
        options = found.get("options", {})
        keys = ("install_requires", "setup_requires", "tests_require")
        return [found.get("options.extras_require"), *(options.get(key) for key in keys)]
    if name == "tox.ini":
        return _deps(text, tool)
    return found if name == "setup.py" else None


def _pyproject(text: str, tool: Predicate, silent: frozenset[str]) -> Any:
    found = tomllib.loads(text)
    tools = {name: table for name, table in found.get("tool", {}).items() if name not in TOOLS}
    project = {key: value for key, value in found.get("project", {}).items() if key not in silent}
    # What is silent is so wherever its value comes from.
    project["dynamic"] = sorted(set(project.get("dynamic", ())) - silent)
    if "dependencies" in project:
        project["dependencies"] = counted(project["dependencies"], tool)
    for whole, key in ((project, "optional-dependencies"), (found, "dependency-groups")):
        whole[key] = {
            name: _group(group, tool)
            for name, group in whole.get(key, {}).items()
            if name.lower() not in GROUPS
        }
    if isinstance(build := found.get("build-system"), dict):
        # Built alone, with the newest backend that there is: the lowest one decides nothing.
        build["requires"] = sorted(floorless(one, None) for one in build.get("requires", []))
    return {**found, "tool": tools, "project": project}


def _group(group: list[Any], tool: Predicate) -> list[Any]:
    """Return what counts of a dependency group, which may include others by name."""
    included = [one for one in group if not isinstance(one, str)]
    seen = [one for one in included if str(one.get("include-group", "")).lower() not in GROUPS]
    return [*counted([one for one in group if isinstance(one, str)], tool), *seen]


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {
        name: {key: _value(text) for key, text in parser[name].items()}
        for name in parser.sections()
    }


def _value(text: str) -> str:
    """Return a value as what reads such files takes it: ``True`` is ``true`` to them."""
    return text.lower() if text.lower() in TRUTHS else text


def _setup_cfg(text: str, tool: Predicate, silent: frozenset[str]) -> Any:
    found: dict[str, Any] = {}
    for name, values in _sections(text).items():
        if name.split(":")[0].split("-")[0] in TOOLS:
            continue
        kept: dict[str, Any] = dict(values)
        if name in ("metadata", "options"):
            kept = {k: v for k, v in values.items() if not {k, k.replace("-", "_")} & silent}
        if name == "options.extras_require":
            kept = {k: counted(_listed(v), tool) for k, v in values.items() if k not in GROUPS}
        if "install_requires" in kept:
            kept["install_requires"] = counted(_listed(kept["install_requires"]), tool)
        found[name] = kept
    return found


def _listed(value: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in value.splitlines())
    return [line for line in lines if line]


def _tox(text: str, _tool: Predicate, _silent: frozenset[str]) -> Any:
    return {
        name: values
        for name, values in _sections(text).items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in OF_TESTS)
    }


def _deps(text: str, tool: Predicate) -> dict[str, list[str]]:
    """Return what tox installs beside the tests, by environment; those of tools left out."""
    found = {
        name: [line for line in _listed(values.get("deps", "")) if not _is_tool(line, tool)]
        for name, values in _sections(text).items()
        if not GROUPS & set(re.split(r"[:,{}\s]+", name.lower()))
    }
    return {name: lines for name, lines in found.items() if lines}


def _is_tool(line: str, tool: Predicate) -> bool:
    """Whether a line of ``deps``, which may begin with ``FACTOR:``, asks for a tool."""
    try:
        return tool(name_of(re.sub(r"^[\w{},!.-]+:\s+", "", line)))
    except ValueError:
        return False


def _setup_py(text: str, _tool: Predicate, silent: frozenset[str]) -> str:
    """Return the script's tree without the metadata that it writes down as it is.

    Metadata that is computed stays: what computes it may do more than that. A value that has a
    name goes with the last that uses it.
    """
    tree = syntax.parse(text)
    named = {name: node for node in tree.body if (name := _names_a_value(node))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("setup", "setuptools.setup"):
            node.keywords = [
                word for word in node.keywords
                if word.arg not in silent or not _is_written(word.value, named)
            ]  # fmt: skip
    used = {node.id for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}  # fmt: skip
    gone = [node for name, node in named.items() if name not in used]
    tree.body = [node for node in tree.body if node not in gone]
    return ast.dump(tree)


def _names_a_value(node: ast.stmt) -> str:
    """Return the name that the statement gives to a value that is written down, if it does."""
    if not isinstance(node, ast.Assign) or not _is_written(node.value):
        return ""
    target = node.targets[0]
    return target.id if len(node.targets) == 1 and isinstance(target, ast.Name) else ""


def _is_written(node: ast.expr, named: Collection[str] = ()) -> bool:
    if isinstance(node, ast.Name):
        return node.id in named
    try:
        syntax.literal(node)
    except ValueError:
        return False
    return True


READ: dict[str, Callable[[str, Predicate, frozenset[str]], Any]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "tox.ini": _tox,
    "setup.py": _setup_py,
}
