"""Build the :class:`Request` that goes to generation."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_aipipe.gaps.symbols import MODULE, symbols_of
from pytest_aipipe.generate.request import Naming, Request
from pytest_aipipe.session.items import known_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_aipipe.generate.model import KnownTest
    from pytest_aipipe.session.host import Host
    from pytest_aipipe.session.run import Run

UNFIT = frozenset(
    {"--lf", "--last-failed", "--ff", "--failed-first", "--lfnf", "--last-failed-no-failures"}
    | {"--nf", "--new-first", "--sw", "--stepwise", "--sw-skip", "--stepwise-skip"}
    | {"--cache-clear", "--cache-show", "-x", "--exitfirst", "--maxfail"}
)
"""Options that choose among the user's own tests or end them early."""

TAKING = frozenset({"--maxfail", "--lfnf", "--last-failed-no-failures", "--cache-show"})
"""Those whose value may be a word of its own."""

NEAREST = 20
"""How many of the nearest tests vote on the folder that new tests belong in."""


def build_request(host: Host, budget: float) -> Request:
    """Return what generation is asked, from what the session measured; ``budget`` in seconds."""
    run, config = host.run, host.config
    tests = known_tests(run.items, run.trace, run.seconds, run.gaps, _spans(run))
    return Request(
        root=run.change.root,
        rootdir=run.rootdir,
        target=target_folder(run, config, tests),
        python_path=tuple(os.path.abspath(entry) for entry in sys.path),  # noqa: PTH100
        pytest_args=pytest_args(config),
        sources=run.sources,
        modules=run.modules,
        added={
            file.path: file.changed_lines for file in run.change.files if file.path in run.sources
        },
        arcs={path: found.branches for path, found in run.before.items()},
        covered={path: found.executed for path, found in run.before.items()},
        covered_arcs={path: found.executed_branches for path, found in run.before.items()},
        gaps=run.gaps,
        tests=tests,
        budget=budget,
        sandbox=run.options.sandbox,
        environ=host.environ,
        naming=Naming(
            files=tuple(config.getini("python_files")),
            classes=tuple(config.getini("python_classes")),
            functions=tuple(config.getini("python_functions")),
        ),
    )


def _spans(run: Run) -> dict[tuple[str, str], range]:
    return {
        (path, symbol.qualname): range(symbol.start, symbol.end + 1)
        for path, text in run.sources.items()
        for symbol in symbols_of(text)
        if symbol.qualname != MODULE
    }


def target_folder(run: Run, config: pytest.Config, tests: Sequence[KnownTest]) -> Path:
    """Return the folder that new tests belong in: the one asked for, or the nearest tests' own."""
    if run.options.write_dir is not None:
        return Path(os.path.abspath(run.options.write_dir))  # noqa: PTH100
    near = [test for test in tests[:NEAREST] if test.lines] or list(tests[:NEAREST])
    places = Counter(test.source_path.parent for test in near)
    if places:
        return max(places, key=lambda folder: (places[folder], str(folder)))
    named = [config.rootpath / name for name in config.getini("testpaths")]
    usual = [config.rootpath / name for name in ("tests", "test")]
    return next((folder for folder in (*named, *usual) if folder.is_dir()), config.rootpath)


def pytest_args(config: pytest.Config) -> tuple[str, ...]:
    """Return the options under which a child pytest sees the project as this session does."""
    option = config.option
    # A child runs without the plugin; a conftest that implements our hooks must still load.
    words = [f"--rootdir={config.rootpath}", "-p", "pytest_aipipe.hooks"]
    if config.inipath is not None:
        words += ["-c", str(config.inipath)]
    for override in option.override_ini or ():
        words += ["-o", override]
    for plugin in option.plugins or ():
        if plugin not in ("no:terminal", "no:aipipe") and "aipipe" not in plugin:
            words += ["-p", plugin]
    words.append(f"--import-mode={option.importmode}")
    if option.noconftest:
        words.append("--noconftest")
    if option.confcutdir:
        words.append(f"--confcutdir={option.confcutdir}")
    if getattr(option, "asyncio_mode", None):
        words += ["-o", f"asyncio_mode={option.asyncio_mode}"]
    given = [str(word) for word in config.getini("addopts")]
    fit = child_words(given)
    if fit != given:
        words += ["-o", f"addopts={shlex.join(fit)}"]
    return tuple(words)


def child_words(addopts: Sequence[str]) -> list[str]:
    """Return the words of ``addopts`` that a child pytest should heed: what it is to see stays.

    What chooses among the user's tests, repeats or stops them is left out, and our own
    options, which a child does not know.
    """
    kept: list[str] = []
    dropping = False
    for word in addopts:
        if dropping and not word.startswith("-"):
            dropping = False
            continue
        name, equals, _ = word.partition("=")
        ours = name.startswith(("--ai-", "--reruns", "--only-rerun", "--rerun-"))
        dropping = (ours or name in TAKING) and not equals
        if not ours and name not in UNFIT:
            kept.append(word)
    return kept
